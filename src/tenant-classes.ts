/** Which tenants have the same answers but for their names, so that many of them share what is rendered once. */

import { chooseActive } from "./cloud/choose.ts";
import { stateOf, type TenantPlace } from "./cloud/states.ts";
import { NO_ROW, type TenantTable } from "./cloud/tenant-table.ts";
import type { TenantGeo } from "./cloud/topology.ts";
import type { Snapshot } from "./snapshot.ts";

/** Numbers of classes, in memory that threads share. */
export interface TenantClasses {
  /** by the number of a shape, of tenants that are served as configured */
  readonly ofShapes: Uint16Array;
  /** by row, of those that are not: a class + 1; undefined where there is none */
  readonly ofMoved: Uint16Array | undefined;
}

/** A tenant of this class has an answer to itself: there are more classes than numbers. */
export const NO_CLASS = 0xfffe;

/** In the states of a snapshot. */
export function tenantClasses(
  { states, tenantPlaces }: Pick<Snapshot, "states" | "tenantPlaces">,
  table: TenantTable,
): TenantClasses {
  const numbers = new Map<string, number>();
  const classOf = (tenant: Pick<TenantGeo, "failover">, place: TenantPlace): number => {
    const { active, standby, serving } = place;
    const { kind, reason } = chooseActive(tenant, place, states, "nearest");
    // Of who is served by the active datacenter nothing more is told. Else the answer tells why (RFC 8914).
    const isPlain = kind === "datacenter" && reason === "active";
    const others = [standby?.id, standby && stateOf(states, standby), serving, tenant.failover];
    const key = JSON.stringify([active.id, stateOf(states, active), ...(isPlain ? [] : others)]);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = Math.min(numbers.size, NO_CLASS);
    numbers.set(key, number);
    return number;
  };
  const ofShapes = new Uint16Array(new SharedArrayBuffer(2 * Math.max(1, table.shapes.length)));
  for (const [i, shape] of table.shapes.entries()) {
    const { active, standby } = shape;
    ofShapes[i] = classOf(shape, { active, standby, serving: "active" });
  }
  if (tenantPlaces.size === 0) return { ofShapes, ofMoved: undefined };
  const ofMoved = new Uint16Array(new SharedArrayBuffer(2 * table.rowCount));
  for (const [label, place] of tenantPlaces) {
    const row = table.findRow(label);
    if (row !== NO_ROW) ofMoved[row] = classOf(table.shapeAt(row), place) + 1;
  }
  return { ofShapes, ofMoved };
}
