/** Where the parts of a configuration are written, for whoever has something to say of one. */

import { readFileSync } from "node:fs";
import type { Service } from "../cloud/service.ts";
import type { TenantRow } from "../cloud/tenant-table.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { type DomainName, domainName, parseName } from "../dns/name.ts";
import type { Documents, ZonesOwner } from "./documents.ts";
import { zoneNameOf } from "./schema.ts";
import type { ErrorSource, Spot, TenantsBuilder } from "./tenants-builder.ts";
import type { ConfigError, FilePlace, ValuePath, YamlDocument } from "./yaml-document.ts";

export class Origins {
  readonly #documents: Documents;
  readonly #tenants: TenantsBuilder;
  readonly #placeOfRecord: (name: DomainName, type: number) => FilePlace | undefined;
  readonly #files = new Map<string, TextFile>();

  constructor(
    documents: Documents,
    tenants: TenantsBuilder,
    placeOfRecord: (name: DomainName, type: number) => FilePlace | undefined,
  ) {
    this.#documents = documents;
    this.#tenants = tenants;
    this.#placeOfRecord = placeOfRecord;
  }

  ofNetwork(name: string): Spot {
    return this.#inNetwork(name, (source) => source.placeOfKey(["networks", name]));
  }

  /** One of its prefixes, by number. */
  ofPrefix(name: string, index: number): Spot {
    return this.#inNetwork(name, (source) => source.placeOf(["networks", name, "prefixes", index]));
  }

  ofDatacenter({ cloud, shortId }: Datacenter): Spot {
    return this.#inCloud(cloud, (source) => source.placeOfKey(["datacenters", shortId]));
  }

  /** A value of a service, at a path below it. */
  ofService({ cloud, name }: Service, path: ValuePath): Spot {
    return this.#inCloud(cloud, (source) => source.placeOf(["services", name, ...path]));
  }

  ofTenant(row: TenantRow): Spot {
    return this.#tenants.spotOf(row);
  }

  /** The file that a tenant comes from, where that may hold a million. */
  bulkFileOf(row: TenantRow): string | undefined {
    return this.#tenants.originsOf(row).bulkFile;
  }

  ofZone(apex: DomainName): Spot {
    const found = this.#findZone(apex);
    if (found === undefined) return this.#somewhere();
    const { source } = found.owner;
    return { source, place: source.placeOf(["zones", found.index]) };
  }

  /** The cloud whose document lists a zone; undefined where it belongs to several clouds or to none. */
  cloudOfZone(apex: DomainName): string | undefined {
    const found = this.#findZone(apex);
    return found === undefined || found.isShared || !("cloud" in found.owner.value)
      ? undefined
      : found.owner.value.cloud;
  }

  /** A record of a name that the lab writes itself, tailored or not; undefined where a service makes the name. */
  ofRecord(name: DomainName, type: number): Spot | undefined {
    const place = this.#placeOfRecord(name, type);
    return place && { source: this.#sourceOf(place.file), place };
  }

  #inNetwork(name: string, placeIn: (source: YamlDocument) => FilePlace): Spot {
    const found = this.#documents.networks.find(({ value }) => name in value.networks);
    return found === undefined ? this.#somewhere() : { source: found.source, place: placeIn(found.source) };
  }

  #inCloud(name: string, placeIn: (source: YamlDocument) => FilePlace): Spot {
    const found = this.#documents.clouds.find(({ value }) => value.cloud === name);
    return found === undefined ? this.#somewhere() : { source: found.source, place: placeIn(found.source) };
  }

  #findZone(
    apex: DomainName,
  ): { readonly owner: ZonesOwner; readonly index: number; readonly isShared: boolean } | undefined {
    for (const owner of [...this.#documents.settings, ...this.#documents.clouds]) {
      for (const [index, entry] of (owner.value.zones ?? []).entries()) {
        const octets = parseName(zoneNameOf(entry));
        if (typeof octets === "string" || domainName(octets) !== apex) continue;
        return { owner, index, isShared: typeof entry !== "string" && entry.shared === true };
      }
    }
    return undefined;
  }

  /** The first file. */
  #somewhere(): Spot {
    const [file = ""] = this.#documents.files;
    return { source: this.#sourceOf(file), place: { file, line: 1, column: 1 } };
  }

  #sourceOf(file: string): ErrorSource {
    const known = this.#files.get(file) ?? new TextFile(file);
    this.#files.set(file, known);
    return known;
  }
}

/** A file whose lines are read when the first is wanted. */
class TextFile implements ErrorSource {
  readonly #file: string;
  #lines: readonly string[] | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  errorAt(place: FilePlace, message: string): ConfigError {
    this.#lines ??= readFileSync(this.#file, "utf8").split(/\r?\n/);
    return { place, message, sourceLine: this.#lines[place.line - 1] ?? "" };
  }
}
