/**
 * What of the clouds' documents is in force: without the clouds that are switched off, each service as it is in the era
 * that was chosen for it, and with what the settings want otherwise. What comes behind sees no eras; its errors still say
 * where a value is written.
 */

import type { Faults } from "./build-topology.ts";
import { apexOf } from "./build-zones.ts";
import { type Checked, type Documents, type Lost, suggest, type WrittenDocuments } from "./documents.ts";
import { cutFound } from "./printable.ts";
import {
  type CloudDocument,
  type CloudInForce,
  type ServiceInForce,
  type SettingsDocument,
  zoneNameOf,
} from "./schema.ts";
import type { ValuePath, YamlDocument } from "./yaml-document.ts";

type Services = CloudDocument["services"];
type Adjustment = NonNullable<SettingsDocument["clouds"]>[string];

/** The first settings that adjust clouds. */
interface Adjusting {
  readonly source: YamlDocument;
  readonly clouds: NonNullable<SettingsDocument["clouds"]>;
}

/** Where a value that is in force is written. */
interface Written {
  readonly source: YamlDocument;
  readonly path: ValuePath;
}

export function documentsInForce(documents: WrittenDocuments, faults: Faults): Documents {
  const adjusting = documents.settings.flatMap(({ source, value: { clouds } }): Adjusting[] =>
    clouds === undefined ? [] : [{ source, clouds }],
  )[0];
  tellOfUnknownClouds(documents, adjusting, faults);
  const isServed = ({ value: { cloud, enabled = true } }: Checked<CloudDocument>): boolean =>
    adjusting?.clouds[cloud]?.enabled ?? enabled;
  const cloudsOff = documents.clouds.flatMap((cloud) => (isServed(cloud) ? [] : cloud.value.cloud));
  const { lost } = documents;
  // What is wrong with one that is off would be so once it is on.
  const clouds = documents.clouds
    .map((cloud) => ({ cloud, inForce: cloudInForce(cloud, adjusting, lost, faults) }))
    .flatMap(({ cloud, inForce }) => (isServed(cloud) ? inForce : []));
  return { ...documents, clouds, cloudsOff: new Set(cloudsOff) };
}

function tellOfUnknownClouds(
  { clouds, lost }: WrittenDocuments,
  adjusting: Adjusting | undefined,
  faults: Faults,
): void {
  const known = clouds.map(({ value }) => value.cloud);
  for (const name of Object.keys(adjusting?.clouds ?? {})) {
    if (adjusting === undefined || known.includes(name) || lost.anything || lost.clouds.has(name)) continue;
    faults.atKey(
      adjusting.source,
      ["clouds", name],
      `"${cutFound(name)}" is no cloud${suggest(name, known)}`,
    );
  }
}

function cloudInForce(
  { source, value }: Checked<CloudDocument>,
  adjusting: Adjusting | undefined,
  lost: Lost,
  faults: Faults,
): Checked<CloudInForce> {
  const adjustment = adjusting?.clouds[value.cloud] ?? {};
  // By the path in force: where what the settings give instead is written.
  const moved = new Map<string, Written>();
  const move = (path: ValuePath): void => {
    if (adjusting !== undefined)
      moved.set(JSON.stringify(path), {
        source: adjusting.source,
        path: ["clouds", value.cloud, ...path],
      });
  };
  for (const era of Object.keys(adjustment.eras ?? {})) move(["eras", era]);
  if (adjustment.anycast !== undefined) move(["anycast"]);
  if (adjustment.addressing !== undefined) move(["addressing"]);
  if (adjustment.unknownTenants !== undefined) move(["unknownTenants"]);
  const datacenters = adjustDatacenters(value, adjustment, adjusting, move, faults);
  const zones = adjustZones(value, adjustment, adjusting, lost, faults);
  const eras = { ...value.eras, ...adjustment.eras };
  const services = new Map<string, ServiceInForce>();
  for (const [name, entry] of Object.entries(value.services)) {
    const found = serviceInForce(name, entry, eras);
    if (found === undefined) continue;
    services.set(name, found.service);
    for (const key of found.keys) {
      const path = ["services", name, "eras", found.index, key];
      moved.set(JSON.stringify(["services", name, key]), { source, path });
    }
  }
  const anycast = adjustment.anycast ?? value.anycast;
  const addressing = adjustment.addressing ?? value.addressing;
  const unknownTenants = adjustment.unknownTenants ?? value.unknownTenants;
  const inForce = {
    source: movedDocument(source, moved),
    value: {
      ...value,
      ...(anycast && { anycast }),
      ...(unknownTenants && { unknownTenants }),
      zones,
      ...(addressing && { addressing }),
      datacenters,
      services: Object.fromEntries(services),
    },
  };
  tellOfEras(inForce.source, value.services, eras, lost, faults);
  return inForce;
}

function adjustDatacenters(
  { cloud, datacenters }: CloudDocument,
  adjustment: Adjustment,
  adjusting: Adjusting | undefined,
  move: (path: ValuePath) => void,
  faults: Faults,
): CloudDocument["datacenters"] {
  const adjusted = { ...datacenters };
  for (const [id, entry] of Object.entries(adjustment.datacenters ?? {})) {
    const found = datacenters[id];
    if (found === undefined) {
      const path = ["clouds", cloud, "datacenters", id];
      const words = `"${cutFound(id)}" is no datacenter of ${cloud}${suggest(id, Object.keys(datacenters))}`;
      if (adjusting !== undefined) faults.atKey(adjusting.source, path, words);
      continue;
    }
    for (const key of Object.keys(entry)) move(["datacenters", id, key]);
    adjusted[id] = { ...found, ...entry };
  }
  return adjusted;
}

/** The zones, each with the quirks that are in force. */
function adjustZones(
  { cloud, zones }: CloudDocument,
  { quirks = {} }: Adjustment,
  adjusting: Adjusting | undefined,
  lost: Lost,
  faults: Faults,
): CloudDocument["zones"] {
  const adjusted = [...zones];
  const apexes = zones.map((entry) => apexOf(zoneNameOf(entry)));
  for (const [zone, its] of Object.entries(quirks)) {
    const at = apexes.indexOf(apexOf(zone));
    const entry = zones[at];
    if (entry !== undefined) {
      adjusted[at] = { ...(typeof entry === "string" ? { zone: entry } : entry), quirks: its };
      continue;
    }
    if (adjusting === undefined || lost.anything || lost.keys.has("zones")) continue;
    const hint = suggest(zone, zones.map(zoneNameOf));
    const words = `"${cutFound(zone)}" is no zone of ${cloud}${hint}`;
    faults.atKey(adjusting.source, ["clouds", cloud, "quirks", zone], words);
  }
  return adjusted;
}

/** A service in its era, and what of it that says; undefined where there is no such service then. */
function serviceInForce(
  name: string,
  { eras, eraOf, ...entry }: Services[string],
  chosen: Readonly<Record<string, string>>,
):
  | { readonly service: ServiceInForce; readonly index: number; readonly keys: readonly string[] }
  | undefined {
  const era = eras === undefined ? entry.era : chosen[eraOf ?? name];
  const index = eras?.findIndex((variant) => variant.in.some((each) => each === era)) ?? 0;
  const { in: _, ...variant } = eras?.[index] ?? { in: [] };
  if (index < 0) return undefined;
  const { names, ttl, ...rest } = { ...entry, ...variant };
  if (names === undefined || ttl === undefined) throw new Error(`${name} has no names`); // the schema has told
  const service = { ...rest, names, ttl, ...(era !== undefined && { era }) };
  return { service, index, keys: Object.keys(variant) };
}

/** Eras that there are not, and services with several of which none is chosen. */
function tellOfEras(
  source: YamlDocument,
  services: Services,
  chosen: Readonly<Record<string, string>>,
  lost: Lost,
  faults: Faults,
): void {
  // By the service that is followed, be it by itself: all eras there are, and who has some of them.
  const choices = new Map<string, { readonly eras: readonly string[]; readonly service: string }>();
  for (const [name, { eras, eraOf }] of Object.entries(services)) {
    if (eraOf !== undefined && eras === undefined) {
      faults.atKey(source, ["services", name, "eraOf"], "eraOf is of a service with eras, and here are none");
    }
    if (eras === undefined) continue;
    const key = eraOf ?? name;
    const known = choices.get(key);
    const own = tellOfDoubledEras(source, name, eras, faults);
    choices.set(key, {
      eras: [...new Set([...(known?.eras ?? []), ...own])],
      service: known === undefined || name === key ? name : known.service,
    });
  }
  const mayLackEras = lost.anything || lost.keys.has("eras") || lost.keys.has("clouds");
  for (const [key, { eras, service }] of choices) {
    if (chosen[key] !== undefined || mayLackEras) continue;
    const words = `eras of the cloud do not say which one "${key}" is in${suggest("", eras)}`;
    faults.atKey(source, ["services", service, "eras"], words);
  }
  const mayLackServices = lost.anything || lost.keys.has("services");
  for (const [key, era] of Object.entries(chosen)) {
    const known = choices.get(key)?.eras;
    if (known?.includes(era) || mayLackServices) continue;
    if (known === undefined) {
      const words = `no service "${cutFound(key)}" has several eras${suggest(key, [...choices.keys()])}`;
      faults.atKey(source, ["eras", key], words);
      continue;
    }
    const words = `"${cutFound(era)}" is no era of ${key}${suggest(era, known)}`;
    faults.at(source, ["eras", key], words);
  }
}

/** All eras of a service; one that is described twice is told. */
function tellOfDoubledEras(
  source: YamlDocument,
  name: string,
  variants: NonNullable<Services[string]["eras"]>,
  faults: Faults,
): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const [i, variant] of variants.entries()) {
    for (const [j, era] of variant.in.entries()) {
      if (seen.has(era)) {
        const path = ["services", name, "eras", i, "in", j];
        faults.at(source, path, `the service is described in the era "${era}" already`);
      }
      seen.add(era);
    }
  }
  return seen;
}

/** A document in which some values stand elsewhere than their path says. */
function movedDocument(source: YamlDocument, moved: ReadonlyMap<string, Written>): YamlDocument {
  if (moved.size === 0) return source;
  const find = (path: ValuePath): Written => {
    for (let length = path.length; length > 0; length--) {
      const found = moved.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return { source: found.source, path: [...found.path, ...path.slice(length)] };
    }
    return { source, path };
  };
  const others = new Map([...moved.values()].map((written) => [written.source.file, written.source]));
  return {
    ...source,
    placeOf: (path) => {
      const written = find(path);
      return written.source.placeOf(written.path);
    },
    placeOfKey: (path) => {
      const written = find(path);
      return written.source.placeOfKey(written.path);
    },
    errorAt: (place, message) => (others.get(place.file) ?? source).errorAt(place, message),
  };
}
