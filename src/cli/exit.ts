/** What the program's exit code says. */
export const EXIT = { good: 0, foundWrong: 1, misuse: 2 } as const;

/** Says in one line what cannot be done with these arguments. */
export function misuse(message: string): number {
  console.error(`error: ${message}`);
  return EXIT.misuse;
}
