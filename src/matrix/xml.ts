/** Text in HTML and SVG. */

import { escapeUnprintable } from "../config/printable.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it may stand between tags and in quoted attributes. */
export const xmlText = (text: string): string =>
  escapeUnprintable(text).replace(/[&<>"']/g, (character) => entities[character] ?? "");
