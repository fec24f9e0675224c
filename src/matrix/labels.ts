/** Places for labels on a map, so that they cover each other and what is marked as little as can be. */

import type { Point } from "./world.ts";

/** A label to be placed beside its mark. */
export interface LabelBox {
  /** the middle of the mark */
  readonly at: Point;
  readonly width: number;
  readonly height: number;
}

/** What labels are kept in. */
export interface Frame {
  readonly width: number;
  readonly height: number;
}

/** Where a label stands: its upper left corner. */
export interface PlacedLabel extends Point {
  /** whether it is so far away that a line must lead to its mark */
  readonly isFar: boolean;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Distances from the mark that are tried, in pixels. */
const DISTANCES = [7, 14, 24, 36, 50, 66, 84, 104, 128];
const DIRECTIONS = 16;
/** From this distance on a label needs a line to its mark. */
const FAR = 20;
/** What a pixel of distance costs, beside a square pixel that is covered. */
const DISTANCE_COST = 1.2;
/** A mark that is covered is worse than a label that is touched. */
const MARK_COST = 3;
const MARK_RADIUS = 5;

/** One label after the other takes the place that is the cheapest; the shortest first, for they are in the way the least. */
export function placeLabels(labels: readonly LabelBox[], frame: Frame): readonly PlacedLabel[] {
  const marks = labels.map(({ at: { x, y } }) => boxAround(x, y, MARK_RADIUS, MARK_RADIUS));
  const widthOf = (i: number): number => labels[i]?.width ?? 0;
  const order = [...labels.keys()].sort((a, b) => widthOf(a) - widthOf(b) || a - b);
  const taken: Box[] = [];
  const placed = new Map<number, PlacedLabel>();
  for (const i of order) {
    const label = labels[i];
    if (label === undefined) continue;
    let best: { readonly cost: number; readonly box: Box; readonly far: number } | undefined;
    for (const { box: wanted, far } of placesOf(label)) {
      const box = movedInto(wanted, frame);
      const covered = taken.reduce((sum, other) => sum + overlap(box, other), 0);
      const marked = marks.reduce((sum, other) => sum + overlap(box, other), 0);
      const cost = far * DISTANCE_COST + covered * 2 + marked * MARK_COST;
      if (best === undefined || cost < best.cost) best = { cost, box, far };
    }
    if (best === undefined) continue;
    taken.push(best.box);
    placed.set(i, { x: best.box.left, y: best.box.top, isFar: best.far >= FAR });
  }
  return labels.map((_label, i) => placed.get(i) ?? { x: 0, y: 0, isFar: false });
}

/** To the right first, then all around, then farther away. */
function* placesOf({ at, width, height }: LabelBox): Generator<{ readonly box: Box; readonly far: number }> {
  for (const far of DISTANCES) {
    for (let step = 0; step < DIRECTIONS; step++) {
      // Right, left, then what lies between, in turn above and below.
      const turn = (step % 2 === 0 ? step : DIRECTIONS - step) / 2;
      const angle = (turn * 2 * Math.PI) / DIRECTIONS;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const x = at.x + cos * (far + width / 2);
      const y = at.y + sin * (far + height / 2);
      yield { box: boxAround(x, y, width / 2, height / 2), far };
    }
  }
}

const boxAround = (x: number, y: number, halfWidth: number, halfHeight: number): Box => ({
  left: x - halfWidth,
  top: y - halfHeight,
  right: x + halfWidth,
  bottom: y + halfHeight,
});

/** A box that would reach out of the frame stands at its edge. */
function movedInto({ left, top, right, bottom }: Box, { width, height }: Frame): Box {
  const x = Math.max(0, Math.min(left, width - (right - left)));
  const y = Math.max(0, Math.min(top, height - (bottom - top)));
  return { left: x, top: y, right: x + right - left, bottom: y + bottom - top };
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
