/** Text out of files as it may stand in a message: no control characters, and not long. */

/** Control, format, private and unassigned characters, and the separators that break lines. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;
const MAX_FOUND = 60;

/** The text with escapes for what a terminal would obey instead of print. */
export function escapeUnprintable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** The text with one sign for each character that cannot be printed, so that columns stay; tabs are kept. */
export function maskUnprintable(text: string): string {
  return text.replace(unprintable, (character) => (character === "\t" ? character : "\ufffd"));
}

/** A value found in a file, cut where it is long. */
export function cutFound(text: string): string {
  return text.length <= MAX_FOUND ? text : `${text.slice(0, MAX_FOUND)}...`;
}

/** A message in which long pieces of the text it is about are cut. */
export function cutPieces(message: string, text: string): string {
  const pieces = [text, ...text.split(/\s+/)].filter((piece) => piece.length > MAX_FOUND);
  return pieces.reduce((words, piece) => words.replaceAll(piece, cutFound(piece)), message);
}
