/** A matrix as a map of the world: who asks, which datacenter answers, and the great circle between them. */

import type { Coordinates } from "../geo/distance.ts";
import type { Change } from "./compare.ts";
import { distance, type LabelBox, placeLabels } from "./labels.ts";
import type { Cell, Matrix, MatrixDatacenter, MatrixPlace, Sheet } from "./matrix.ts";
import type { Point, World } from "./world.ts";
import { xmlText } from "./xml.ts";

/** What is drawn of which matrix: all of one, or what differs. */
export type Drawing =
  | { readonly kind: "matrix"; readonly matrix: Matrix }
  | {
      readonly kind: "changes";
      readonly before: Matrix;
      readonly after: Matrix;
      readonly changes: readonly Sheet<Change>[];
    };

/** A way that is drawn: which services of a cloud lead from a place to a datacenter. */
interface Way {
  readonly place: MatrixPlace;
  readonly datacenter: MatrixDatacenter;
  readonly isBefore: boolean;
  readonly services: readonly string[];
}

const FONT_SIZE = 11;
const LINE_HEIGHT = 14;
const LEGEND_HEIGHT = 30;
/** Widths of characters differ from font to font; a little too wide is better than too narrow. */
const CHARACTER = 6.1;
const CODE_CHARACTER = 7.4;
/** Marks as near as this to each other have one label. */
const SAME_SPOT = 4;
/** Names of places that one label has. */
const MAX_NAMES = 2;
/** Colours there are for clouds; further ones take them again. */
const COLOURS = 5;

/** A whole SVG document. */
export function drawMap(drawing: Drawing, world: World, title: string): string {
  const shown = drawing.kind === "matrix" ? drawing.matrix : drawing.after;
  const ways = drawing.kind === "matrix" ? waysOf(drawing.matrix) : changedWays(drawing);
  const clouds = [...new Set(shown.datacenters.map(({ cloud }) => cloud))];
  const colourOf = (cloud: string): string => `c${Math.max(0, clouds.indexOf(cloud)) % COLOURS}`;
  const height = world.height + LEGEND_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 ${world.width} ${height}" role="img" aria-label="${xmlText(title)}">`,
    `<title>${xmlText(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="sea" width="${world.width}" height="${height}"/>`,
    `<path class="graticule" d="${world.graticule}"/>`,
    `<path class="land" d="${world.land}"/>`,
    `<rect class="sea" y="${world.height}" width="${world.width}" height="${LEGEND_HEIGHT}"/>`,
    ...ways.map((way) => drawWay(way, world, colourOf(way.datacenter.cloud))),
    ...drawMarks(shown, ways, world, colourOf),
    ...drawLegend(shown, ways, clouds, world, colourOf),
    "</svg>",
  ].join("\n");
}

function waysOf(matrix: Matrix): readonly Way[] {
  return gather(matrix, false, matrix.sheets, (cell) => cell);
}

function changedWays({ before, after, changes }: Extract<Drawing, { kind: "changes" }>): readonly Way[] {
  return [
    ...gather(before, true, changes, ({ from }) => from),
    ...gather(after, false, changes, ({ to }) => to),
  ];
}

/** The ways of the rows by place, each once for all services that take it. */
function gather<C>(
  { places, datacenters }: Matrix,
  isBefore: boolean,
  sheets: readonly Sheet<C>[],
  cellOf: (cell: C) => Cell | undefined,
): readonly Way[] {
  const found = new Map<string, { readonly way: Omit<Way, "services">; readonly services: string[] }>();
  const byId = new Map<string, MatrixDatacenter>(datacenters.map((each) => [each.id, each]));
  for (const { by, columns, rows } of sheets) {
    if (by !== "place") continue;
    for (const { kind, name, cells } of rows) {
      const place = places.find((each) => each.kind === kind && each.name === name);
      for (const [i, each] of cells.entries()) {
        const cell = each === undefined ? undefined : cellOf(each);
        for (const id of cell?.kind === "datacenters" ? cell.ids : []) {
          const datacenter = byId.get(id);
          if (place === undefined || datacenter === undefined) continue;
          const key = `${kind} ${name} ${id}`;
          const entry = found.get(key) ?? { way: { place, datacenter, isBefore }, services: [] };
          found.set(key, entry);
          entry.services.push(columns[i] ?? "");
        }
      }
    }
  }
  return [...found.values()].map(({ way, services }) => ({ ...way, services }));
}

function drawWay({ place, datacenter, isBefore, services }: Way, world: World, colour: string): string {
  const path = world.greatCircle(place.coordinates, datacenter.coordinates);
  const words = `${placeName(place)} to ${datacenter.id}${isBefore ? ", before" : ""}: ${services.join(", ")}`;
  return `<path class="way ${isBefore ? "before" : colour}" d="${path}"><title>${xmlText(words)}</title></path>`;
}

const placeName = ({ kind, name }: MatrixPlace): string =>
  kind === "network" ? name : kind === "country" ? `country ${name}` : "default location";

/** What one label is beside: datacenters and places at one spot. */
interface Spot {
  readonly at: Point;
  readonly datacenters: MatrixDatacenter[];
  readonly places: MatrixPlace[];
}

function drawMarks(
  { places, datacenters }: Matrix,
  ways: readonly Way[],
  world: World,
  colourOf: (cloud: string) => string,
): readonly string[] {
  const reached = new Set(ways.map(({ datacenter }) => datacenter.id));
  const isOfInterest = ({ id, state, hasTenants }: MatrixDatacenter): boolean =>
    reached.has(id) || state !== "up" || hasTenants;
  const spots: Spot[] = [];
  const spotAt = (coordinates: Coordinates): Spot => {
    const at = world.pointOf(coordinates);
    const known = spots.find((spot) => distance(spot.at, at) <= SAME_SPOT);
    if (known !== undefined) return known;
    const spot: Spot = { at, datacenters: [], places: [] };
    spots.push(spot);
    return spot;
  };
  for (const each of datacenters) if (isOfInterest(each)) spotAt(each.coordinates).datacenters.push(each);
  for (const place of places) spotAt(place.coordinates).places.push(place);
  const labels = spots.map(labelOf);
  const boxes: readonly LabelBox[] = labels.map(({ width }, i) => ({
    at: spots[i]?.at ?? { x: 0, y: 0 },
    width,
    height: LINE_HEIGHT,
  }));
  const placed = placeLabels(boxes, world);
  const quiet = datacenters.filter((each) => !isOfInterest(each));
  return [
    ...quiet.map((each) => drawDatacenter(each, world, "quiet")),
    ...spots.flatMap(({ at, datacenters: here, places: around }) => [
      ...around.map((place) => drawPlace(place, at)),
      ...here.map((each) =>
        drawDatacenter(each, world, `${colourOf(each.cloud)}${each.hasTenants ? " home" : ""}`),
      ),
    ]),
    ...placed.flatMap(({ x, y, isFar }, i) => {
      const [label, box] = [labels[i], boxes[i]];
      if (label === undefined || box === undefined) return [];
      const text = `<text x="${round(x + 2)}" y="${round(y + FONT_SIZE)}">${label.content}</text>`;
      if (!isFar) return [text];
      const end = nearestOn({ left: x, right: x + box.width, top: y, bottom: y + box.height }, box.at);
      const line = `<line class="leader" x1="${round(box.at.x)}" y1="${round(box.at.y)}" x2="${round(end.x)}" y2="${round(end.y)}"/>`;
      return [line, text];
    }),
  ];
}

const nearestOn = (
  box: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number },
  { x, y }: Point,
): Point => ({
  x: Math.min(box.right, Math.max(box.left, x)),
  y: Math.min(box.bottom, Math.max(box.top, y)),
});

/** The datacenters' ids, with their states, then the names of the places. */
function labelOf({ datacenters, places }: Spot): { readonly content: string; readonly width: number } {
  const codes = datacenters.map(({ shortId, state }) => (state === "up" ? shortId : `${shortId} ${state}`));
  const names = places.map(placeName);
  const more = names.length - MAX_NAMES;
  const told = more > 0 ? `${names.slice(0, MAX_NAMES).join(", ")} +${more}` : names.join(", ");
  const code = codes.join(", ");
  const parts = [
    code === "" ? "" : `<tspan class="code">${xmlText(code)}</tspan>`,
    told === "" ? "" : xmlText(told),
  ].filter((part) => part !== "");
  return {
    content: parts.join(" "),
    width: code.length * CODE_CHARACTER + told.length * CHARACTER + 4 + (parts.length > 1 ? CHARACTER : 0),
  };
}

function drawPlace(place: MatrixPlace, { x, y }: Point): string {
  const { city, networkKind, address } = place;
  const kind = networkKind === undefined || networkKind === "office" ? "" : `, ${networkKind}`;
  const words = `${placeName(place)}${kind}${city === undefined ? "" : `, ${city}`}${address === undefined ? ": other networks hold all of it" : ""}`;
  return `<rect class="place" x="${round(x - 4.5)}" y="${round(y - 4.5)}" width="9" height="9"><title>${xmlText(words)}</title></rect>`;
}

/** A disc while it is up, a ring while it drains, a cross while it is down. */
function drawDatacenter(datacenter: MatrixDatacenter, world: World, classes: string): string {
  const { x, y } = world.pointOf(datacenter.coordinates);
  const { id, city, state } = datacenter;
  const title = `<title>${xmlText([id, city ?? [], state].flat().join(", "))}</title>`;
  if (state === "down") {
    const d = `M${round(x - 5)},${round(y - 5)}l10,10m0,-10l-10,10`;
    return `<path class="datacenter down" d="${d}">${title}</path>`;
  }
  const radius = classes === "quiet" ? 2 : 4;
  return `<circle class="datacenter ${classes}${state === "up" ? "" : " draining"}" cx="${round(x)}" cy="${round(y)}" r="${radius}">${title}</circle>`;
}

const round = (value: number): string => String(Math.round(value * 10) / 10);

function drawLegend(
  { datacenters, places }: Matrix,
  ways: readonly Way[],
  clouds: readonly string[],
  world: World,
  colourOf: (cloud: string) => string,
): readonly string[] {
  const y = world.height + LEGEND_HEIGHT / 2;
  const has = (state: MatrixDatacenter["state"]): boolean =>
    datacenters.some((datacenter) => datacenter.state === state);
  const isReached = (cloud: string): boolean => ways.some(({ datacenter }) => datacenter.cloud === cloud);
  const line = (classes: string) => (x: number) => `<path class="way ${classes}" d="M${x},${y}h14"/>`;
  const disc = (classes: string) => (x: number) =>
    `<circle class="datacenter ${classes}" cx="${x + 7}" cy="${y}" r="4"/>`;
  const entries: readonly (readonly [mark: (x: number) => string, words: string])[] = [
    ...(places.length > 0
      ? [
          [
            (x: number) => `<rect class="place" x="${x + 2.5}" y="${y - 4.5}" width="9" height="9"/>`,
            "who asks",
          ] as const,
        ]
      : []),
    ...clouds.filter(isReached).map((cloud) => [line(colourOf(cloud)), `answered by ${cloud}`] as const),
    ...(ways.some(({ isBefore }) => isBefore) ? [[line("before"), "before"] as const] : []),
    [disc("legend"), "datacenter"],
    ...(datacenters.some(({ hasTenants }) => hasTenants)
      ? [[disc("legend home"), "with tenants"] as const]
      : []),
    ...(has("draining") ? [[disc("legend draining"), "draining"] as const] : []),
    ...(has("down")
      ? [
          [
            (x: number) => `<path class="datacenter down" d="M${x + 2},${y - 5}l10,10m0,-10l-10,10"/>`,
            "down",
          ] as const,
        ]
      : []),
  ];
  let x = 14;
  return entries.map(([mark, words]) => {
    const drawn = `${mark(x)}<text x="${round(x + 20)}" y="${y + 4}">${xmlText(words)}</text>`;
    x += 20 + Math.ceil(words.length * CHARACTER) + 26;
    return drawn;
  });
}

/** Colours of clouds differ in lightness too, for who cannot tell red from green. */
const style = `
.map { --sea: #f4f7fa; --land: #dcdfe0; --grid: #e6ebef; --ink: #1f2328; --halo: #f4f7fa; --quiet: #9aa0a6;
  --c0: #1f6fd0; --c1: #d9541e; --c2: #0f8f65; --c3: #6a4fc4; --c4: #a8287c; --down: #c81e1e; --before: #7a828a;
  background: var(--sea); font: ${FONT_SIZE}px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { .map { --sea: #14181d; --land: #303840; --grid: #1f262d; --ink: #e8eaed;
  --halo: #14181d; --quiet: #6d757d; --c0: #5aa2f5; --c1: #f0834f; --c2: #35c290; --c3: #a893f0; --c4: #e577bd;
  --down: #ff6b6b; --before: #8d969f; } }
.map .sea { fill: var(--sea); }
.map .land { fill: var(--land); }
.map .graticule { fill: none; stroke: var(--grid); stroke-width: .6; }
.map .way { fill: none; stroke-width: 1.5; stroke-opacity: .8; stroke-linecap: round; }
.map .way:hover { stroke-width: 3; stroke-opacity: 1; }
${Array.from({ length: COLOURS }, (_, i) => `.map .c${i} { --colour: var(--c${i}); }`).join("\n")}
.map .way { stroke: var(--colour); }
.map .before { stroke: var(--before); stroke-dasharray: 4 4; }
.map .place { fill: none; stroke: var(--ink); stroke-width: 1.4; }
.map .datacenter { fill: var(--colour); stroke: var(--sea); stroke-width: 1.2; }
.map .legend { --colour: var(--ink); }
.map .home { stroke: var(--ink); stroke-width: 1.4; }
.map .quiet { fill: var(--quiet); stroke: none; }
.map .draining { fill: var(--sea); stroke: var(--colour); stroke-width: 2; }
.map .down { fill: none; stroke: var(--down); stroke-width: 2.4; stroke-linecap: round; }
.map text { fill: var(--ink); paint-order: stroke; stroke: var(--halo); stroke-width: 3px; stroke-linejoin: round; }
.map .code { font-weight: 700; }
.map .leader { stroke: var(--ink); stroke-width: .6; stroke-opacity: .6; }
`;
