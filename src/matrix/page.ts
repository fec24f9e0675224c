/** A matrix as one page of HTML that needs nothing beside itself. */

import { FIXED_WORDS, hasFixed, type TextSheet } from "./words.ts";
import { xmlText } from "./xml.ts";

export interface Page {
  readonly title: string;
  /** sentences above the map */
  readonly remarks: readonly string[];
  /** an SVG document; undefined where there is nothing to draw */
  readonly map: string | undefined;
  readonly sheets: readonly TextSheet[];
}

export function formatPage({ title, remarks, map, sheets }: Page): string {
  return `${[
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${xmlText(title)}</title>`,
    `<style>${style}</style>`,
    "</head>",
    "<body>",
    `<h1>${xmlText(title)}</h1>`,
    ...remarks.map((remark) => `<p>${xmlText(remark)}</p>`),
    ...(map === undefined ? [] : [`<figure>${map}</figure>`]),
    ...sheets.flatMap(formatSheet),
    ...(hasFixed(sheets) ? [`<p>${xmlText(FIXED_WORDS)}</p>`] : []),
    "</body>",
    "</html>",
  ].join("\n")}\n`;
}

function formatSheet({ title, corner, columns, rows }: TextSheet): readonly string[] {
  const heads = columns.map((services) => `<th scope="col">${services.map(xmlText).join("<br>")}</th>`);
  return [
    `<h2>${xmlText(title)}</h2>`,
    '<div class="scroll"><table>',
    `<thead><tr><th scope="col">${xmlText(corner)}</th>${heads.join("")}</tr></thead>`,
    "<tbody>",
    ...rows.map(({ name, cells }) => {
      const texts = cells.map((cell) => `<td>${xmlText(cell).replaceAll("-&gt;", "→")}</td>`);
      return `<tr><th scope="row">${xmlText(name)}</th>${texts.join("")}</tr>`;
    }),
    "</tbody>",
    "</table></div>",
  ];
}

const style = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --line: #d5dae0; --head: #f1f4f7; }
@media (prefers-color-scheme: dark) { :root { --paper: #0f1216; --ink: #e8eaed; --line: #333b43; --head: #1a2026; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
figure { margin: 1rem 0; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
figure svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: bottom;
  white-space: nowrap; }
tbody th { font-weight: 600; }
`;
