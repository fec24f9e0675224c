/** Tenants of all clouds from their documents and from the CSV files that those name, in one table. */

import { dirname, resolve } from "node:path";
import type { Cloud } from "../cloud/service.ts";
import { CloudTenants, NO_ROW, type TenantRow } from "../cloud/tenant-table.ts";
import { WORKLOADS } from "../cloud/topology.ts";
import { entries, type Faults, isLost, lacksDatacenters, type Origin } from "./build-topology.ts";
import type { Documents } from "./documents.ts";
import { cutFound } from "./printable.ts";
import { domainNameOf, type TenantsDocument } from "./schema.ts";
import { readTenantFile } from "./tenant-file.ts";
import { type Spot, TenantsBuilder } from "./tenants-builder.ts";
import { formatPlace, type ValuePath, type YamlDocument } from "./yaml-document.ts";

/** Clouds with their tenants, and where these come from. */
export interface WithTenants {
  readonly clouds: readonly Cloud[];
  readonly tenants: TenantsBuilder;
}

type GeoEntry = Pick<
  TenantsDocument["tenants"][string],
  "geo" | "active" | "standby" | "failover" | "failback" | "slot" | "workloads"
>;

/** Gives clouds the tenants that the documents have for them. */
export function addTenants(clouds: readonly Cloud[], documents: Documents, faults: Faults): WithTenants {
  const { lost, clouds: cloudDocuments, cloudsOff, tenants: tenantDocuments } = documents;
  // Of two clouds with one name one is dropped: it may be the one meant, or have another name in truth.
  const isDoubled = (cloud: string): boolean =>
    cloudDocuments.filter(({ value }) => value.cloud === cloud).length > 1;
  const mayLackClouds = lost.anything || cloudDocuments.some(({ value }) => isDoubled(value.cloud));
  const builder = new TenantsBuilder(clouds, {
    isLostCloud: (cloud) => mayLackClouds || lost.clouds.has(cloud),
    otherClouds: [...lost.clouds, ...cloudsOff],
    isOff: (cloud) => cloudsOff.has(cloud),
    isLostDatacenter: (cloud, shortId) =>
      isDoubled(cloud) ||
      cloudDocuments.some((document) => document.value.cloud === cloud && isLost(document, shortId)),
    lacksDatacenters: (cloud) =>
      isDoubled(cloud) ||
      cloudDocuments.some((document) => document.value.cloud === cloud && lacksDatacenters(document)),
  });
  addYamlTenants(builder, tenantDocuments, faults);
  const named = new Map<string, Origin>();
  for (const { source, value } of tenantDocuments) {
    for (const [i, path] of (value.tenantFiles ?? []).entries()) {
      const valuePath = ["tenantFiles", i];
      const file = resolve(dirname(source.file), path);
      const known = named.get(file);
      if (known !== undefined) {
        const place = formatPlace(known.source.placeOf(known.path));
        faults.at(source, valuePath, `"${cutFound(path)}" is named at ${place} already`);
        continue;
      }
      named.set(file, { source, path: valuePath });
      readTenantFile({ source, valuePath, path, file }, builder, faults);
    }
  }
  settleParents(builder, faults);
  for (const { row, words } of builder.initialDomainClashes())
    faults.atRow(builder.originsOf(row), () => [builder.spotOf(row), words]);
  const { table } = builder;
  return {
    clouds: clouds.map((cloud) => ({
      ...cloud,
      tenants: new CloudTenants(table, cloud.name, cloud.unknownTenants),
    })),
    tenants: builder,
  };
}

function addYamlTenants(builder: TenantsBuilder, documents: Documents["tenants"], faults: Faults): void {
  const { table } = builder;
  /** by row */
  const origins: Origin[] = [];
  const spotAt = ({ source, path }: Origin): Spot => ({ source, place: source.placeOf(path) });
  const spotIn = (row: TenantRow, path: ValuePath): Spot => {
    const { source, path: own } = originAt(row);
    return spotAt({ source, path: [...own, ...path] });
  };
  const originAt = (row: TenantRow): Origin => {
    const origin = origins[row];
    if (origin === undefined) throw new Error(`tenant ${row} is in no document`);
    return origin;
  };
  builder.begin({
    bulkFile: undefined,
    firstRow: 0,
    spotOf: (row) => {
      const { source, path } = originAt(row);
      return { source, place: source.placeOfKey(path) };
    },
    spotOfDomain: (row, index) => spotIn(row, ["domains", index]),
    spotOfParent: (row) => spotIn(row, []),
  });

  const addGeo = (
    source: YamlDocument,
    path: ValuePath,
    cloud: string,
    label: string,
    { slot, workloads: _, ...entry }: GeoEntry,
  ): TenantRow => {
    const shape = builder.shapeNumber({ cloud, ...entry }, (key, message) =>
      faults.at(source, [...path, key], message),
    );
    const clash = shape === undefined ? undefined : builder.clashOf(label, cloud);
    if (clash !== undefined) {
      const place = formatPlace(builder.spotOf(clash.row).place);
      const words =
        clash.name === undefined
          ? `tenant "${label}" is defined at ${place} already`
          : `${clash.name} is made at ${place} already`;
      faults.atKey(source, path, words);
    }
    if (shape === undefined || clash !== undefined) {
      builder.isWhole = false;
      return NO_ROW;
    }
    const octets = Buffer.from(label, "latin1");
    const row = table.addRow(octets, 0, octets.length, shape, slot);
    origins[row] = { source, path };
    return row;
  };

  /** The homes that workloads of a row have of their own; they are looked at even where the row could not be added. */
  const addWorkloads = (
    source: YamlDocument,
    path: ValuePath,
    cloud: string,
    row: TenantRow,
    { slot: _, workloads = {}, ...entry }: GeoEntry,
  ): void => {
    for (const workload of WORKLOADS) {
      const texts = workloads[workload];
      if (texts === undefined || !builder.hasCloud(cloud)) continue;
      const number = builder.workloadShapeNumber(workload, texts, { cloud, ...entry }, (key, message) =>
        faults.at(source, [...path, "workloads", workload, key], message),
      );
      if (number === undefined) builder.isWhole = false;
      else if (row !== NO_ROW) {
        table.addWorkload(row, workload, number);
        origins[table.rowCount - 1] = { source, path: [...path, "workloads", workload] };
      }
    }
  };

  for (const { source, path, key, value } of entries(documents, "tenants", "tenant", faults)) {
    const { cloud, domains = [], satellites = {}, initialDomain, ...entry } = value;
    if (builder.isOff(cloud)) continue;
    const row = addGeo(source, path, cloud, key, entry);
    // The cloud that is none is told of once.
    if (row === NO_ROW && !builder.hasCloud(cloud)) continue;
    for (const [i, domain] of domains.entries()) {
      addDomain(builder, row, domainNameOf(domain), cloud, (message) =>
        faults.at(source, [...path, "domains", i], message),
      );
    }
    const fault =
      initialDomain === undefined || !builder.hasCloud(cloud)
        ? undefined
        : builder.addInitialDomain(row, initialDomain, cloud);
    if (fault !== undefined) faults.at(source, [...path, "initialDomain"], fault);
    addWorkloads(source, path, cloud, row, entry);
    for (const [label, satellite] of Object.entries(satellites)) {
      const belowPath = [...path, "satellites", label];
      const below = addGeo(source, belowPath, cloud, label, satellite);
      if (below !== NO_ROW && row !== NO_ROW) table.setParent(below, row);
      addWorkloads(source, belowPath, cloud, below, satellite);
    }
  }
}

/** Adds a domain to the last row, or tells why it cannot be. */
function addDomain(
  builder: TenantsBuilder,
  row: TenantRow,
  text: string,
  cloud: string,
  tell: (message: string) => void,
): void {
  const domain = text.toLowerCase().replace(/\.$/, "");
  const fault = builder.faultOfDomain(domain, cloud);
  if (fault !== undefined) {
    tell(fault());
    return;
  }
  const octets = Buffer.from(domain, "latin1");
  if (row !== NO_ROW) builder.table.addDomain(octets, 0, octets.length);
}

/** Satellites that came before their tenant. */
function settleParents(builder: TenantsBuilder, faults: Faults): void {
  const { table } = builder;
  for (const { row, parent } of builder.takePendingParents()) {
    const found = table.findRow(parent);
    const fault =
      found === NO_ROW
        ? `"${cutFound(parent)}" is no tenant, so it has no satellites`
        : builder.faultOfParent(table.shapeOf(row), found);
    if (fault === undefined) table.setParent(row, found);
    else faults.atRow(builder.originsOf(row), () => [builder.originsOf(row).spotOfParent(row), fault]);
  }
}
