/** What is other in the next configuration, a line for each thing, for whoever reloads it. */

import { isDeepStrictEqual } from "node:util";
import type { Cloud } from "./cloud/service.ts";
import { NO_ROW, type TenantRow, type TenantTable } from "./cloud/tenant-table.ts";
import type { Configuration } from "./config/configuration.ts";
import { serialOf } from "./zone/zone.ts";

/** Lines of one kind that are told; more are counted. */
const MAX_LINES = 20;

/** No line where nothing is other that anyone could see. */
export function diffConfigurations(before: Configuration, next: Configuration): readonly string[] {
  return [
    ...diffKind("zone", zonesOf(before), zonesOf(next)),
    ...diffKind("cloud", cloudsOf(before), cloudsOf(next)),
    ...diffKind("datacenter", datacentersOf(before), datacentersOf(next)),
    ...diffKind("service", servicesOf(before), servicesOf(next)),
    ...cutLines("tenant", [...diffTenants(tableOf(before), tableOf(next))]),
    ...diffKind("network", byName(before.networks), byName(next.networks)),
    ...diffKind("setting", new Map(Object.entries(before.settings)), new Map(Object.entries(next.settings))),
  ];
}

type Things = ReadonlyMap<string, unknown>;

function diffKind(kind: string, before: Things, next: Things): readonly string[] {
  const lines: string[] = [];
  for (const [key, value] of next) {
    if (!before.has(key)) lines.push(`${kind} ${key} is new`);
    else if (!isDeepStrictEqual(before.get(key), value)) lines.push(`${kind} ${key} has changed`);
  }
  for (const key of before.keys()) if (!next.has(key)) lines.push(`${kind} ${key} is gone`);
  return cutLines(kind, lines);
}

function cutLines(kind: string, lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `${lines.length - MAX_LINES} more changes of ${kind}s`];
}

/** A zone's serial moves with its content (and a scripted zone is its module). */
const zonesOf = ({ zones, quirks }: Configuration): Things =>
  new Map(
    [...zones].map(([apex, zone]) => [
      apex,
      zone.kind === "records"
        ? [quirks.get(apex), serialOf(zone.soa)]
        : [quirks.get(apex), zone.handler, zone.deadlineMilliseconds, zone.concurrency],
    ]),
  );

const cloudsOf = ({ clouds }: Configuration): Things => new Map(clouds.map(({ name }) => [name, undefined]));

const datacentersOf = ({ clouds }: Configuration): Things =>
  new Map(clouds.flatMap(({ datacenters }) => datacenters.map((each) => [each.id, each] as const)));

const servicesOf = ({ clouds }: Configuration): Things =>
  new Map(
    clouds.flatMap(({ services }: Cloud) =>
      services.map(({ candidates, ...service }) => {
        // A datacenter that has changed is told of by itself.
        const ids = candidates.map(({ id }) => id);
        return [`${service.cloud}/${service.name}`, { ...service, candidates: ids }] as const;
      }),
    ),
  );

/** A line for each tenant that is other, itself, a satellite or a workload of it; row by row, since there may be a million. */
function* diffTenants(before: TenantTable | undefined, next: TenantTable | undefined): Generator<string> {
  const changed = new Set<TenantRow>();
  const homeOf = (table: TenantTable, row: TenantRow): TenantRow => {
    const parent = table.parentOf(row);
    return parent === undefined ? row : homeOf(table, parent);
  };
  for (let row = 0; next !== undefined && row < next.rowCount; row++) {
    if (before === undefined || !isSameRow(before, next, row)) changed.add(homeOf(next, row));
  }
  const gone: string[] = [];
  for (let row = 0; before !== undefined && row < before.rowCount; row++) {
    const home = homeOf(before, row);
    const found = next === undefined ? NO_ROW : rowNamed(next, before, row);
    if (found !== NO_ROW && (home === row) === (next?.parentOf(found) === undefined)) continue;
    if (home === row) gone.push(`tenant ${before.labelAt(row)} is gone`);
    else if (next !== undefined) changed.add(rowNamed(next, before, home));
  }
  for (const row of [...changed].toSorted((a, b) => a - b)) {
    if (next === undefined || row === NO_ROW) continue;
    const known = before === undefined ? NO_ROW : rowNamed(before, next, row);
    const isNew = known === NO_ROW || before?.parentOf(known) !== undefined;
    yield `tenant ${next.labelAt(row)} ${isNew ? "is new" : "has changed"}`;
  }
  yield* gone;
}

/** The row of another table with the label of one, spelled the same. Most often it is the row of the same number. */
function rowNamed(table: TenantTable, other: TenantTable, row: TenantRow): TenantRow {
  const [own, its] = [table.labels, other.labels];
  const start = its.startOf(row);
  const length = its.lengthOf(row);
  const isLabelOf = (found: TenantRow): boolean => {
    const ownStart = own.startOf(found);
    for (let i = 0; i < length; i++) if (own.octets[ownStart + i] !== its.octets[start + i]) return false;
    return own.lengthOf(found) === length;
  };
  if (row < table.rowCount && isLabelOf(row)) return row;
  const found = own.find(its.octets, start, start + length);
  return found !== NO_ROW && isLabelOf(found) ? found : NO_ROW;
}

function isSameRow(before: TenantTable, next: TenantTable, row: TenantRow): boolean {
  const known = rowNamed(before, next, row);
  if (known === NO_ROW || before.slotOf(known) !== next.slotOf(row)) return false;
  if (before.initialDomains.get(known) !== next.initialDomains.get(row)) return false;
  const [was, is] = [before.shapeAt(known), next.shapeAt(row)];
  if (was.cloud !== is.cloud || was.geo !== is.geo || was.active.id !== is.active.id) return false;
  if (was.standby?.id !== is.standby?.id) return false;
  if (was.failover !== is.failover || was.failback !== is.failback) return false;
  const [parent, nextParent] = [before.parentOf(known), next.parentOf(row)];
  if ((parent === undefined) !== (nextParent === undefined)) return false;
  if (parent !== undefined && nextParent !== undefined && rowNamed(before, next, nextParent) !== parent)
    return false;
  return domainsOf(before, known) === domainsOf(next, row);
}

const domainsOf = (table: TenantTable, row: TenantRow): string =>
  table.domainCount === 0
    ? ""
    : Array.from(table.domainsOf(row), (domain) => table.domainAt(domain)).join(" ");

/** All clouds share one. */
const tableOf = ({ clouds }: Configuration): TenantTable | undefined => clouds[0]?.tenants.table;

const byName = (things: readonly { readonly name: string }[]): Things =>
  new Map(things.map((thing) => [thing.name, thing]));
