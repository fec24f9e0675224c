/** A table as an SVG picture: a bar of µs a query for each server, shortest first. */

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** ours, in another colour */
  readonly isOurs: boolean;
}

export interface Chart {
  readonly title: string;
  /** the unit, and where it was measured */
  readonly subtitle: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 760;
const LABEL_WIDTH = 170;
const VALUE_WIDTH = 60;
const HEAD_HEIGHT = 64;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const MARGIN = 16;

/** Greys and one blue that can be read on white and, by the reader's preference, on black. */
const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .quiet { fill: #59636e }
    .bar { fill: #8c959f }
    .ours { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .quiet { fill: #9198a1 }
      .bar { fill: #656c76 }
      .ours { fill: #4493f8 }
    }
  `;

export function drawChart({ title, subtitle, bars }: Chart): string {
  const sorted = bars.toSorted((a, b) => a.value - b.value);
  const longest = Math.max(...sorted.map(({ value }) => value));
  const height = HEAD_HEIGHT + ROW_HEIGHT * sorted.length + MARGIN;
  const described = sorted.map(({ label, value }) => `${label} ${value.toFixed(1)}`).join("; ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">${escapeText(title)}</title>
  <desc id="description">${escapeText(`${subtitle}: ${described}`)}</desc>
  <style>${STYLE}</style>
  <text class="title" x="${MARGIN}" y="28">${escapeText(title)}</text>
  <text class="quiet" x="${MARGIN}" y="48">${escapeText(subtitle)}</text>
${sorted.map((bar, row) => drawBar(bar, row, longest)).join("\n")}
</svg>
`;
}

function drawBar({ label, value, isOurs }: Bar, row: number, longest: number): string {
  const top = HEAD_HEIGHT + ROW_HEIGHT * row;
  const left = MARGIN + LABEL_WIDTH;
  const length = (value / longest) * (WIDTH - left - VALUE_WIDTH - MARGIN);
  const baseline = top + BAR_HEIGHT - 3;
  return `  <text x="${left - 8}" y="${baseline}" text-anchor="end">${escapeText(label)}</text>
  <rect class="${isOurs ? "ours" : "bar"}" x="${left}" y="${top}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>
  <text x="${(left + length + 8).toFixed(1)}" y="${baseline}">${value.toFixed(1)}</text>`;
}

/** The five characters that XML gives a meaning; what it forbids altogether is left out. */
function escapeText(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;" },
    ...{ '"': "&quot;", "'": "&apos;" },
  };
  return text.replace(/\p{Cc}/gu, "").replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
