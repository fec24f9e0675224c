/** A zone printed as a master file: read back it answers as the zone does there. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import { formatConfigError, loadConfig } from "../src/config/load.ts";
import { CLASS, parseType } from "../src/dns/iana.ts";
import { formatRRset } from "../src/dns/message.ts";
import { type DomainName, nameOctets, nameOf } from "../src/dns/name.ts";
import { exportZone } from "../src/export.ts";
import { parseAddress } from "../src/ip.ts";
import { resolve } from "../src/resolve.ts";
import { buildSnapshot, type Snapshot } from "../src/snapshot.ts";
import { findZone } from "../src/zone/zone.ts";

const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "geodns365-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

function snapshotOf(path: string): Snapshot {
  const loaded = loadConfig(path);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  return buildSnapshot(loaded.configuration, undefined);
}

const askerAt = (text: string) => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return { address, via: "source" } as const;
};

const types = ["A", "AAAA", "CNAME", "TXT", "MX", "SRV", "NS", "SOA"].map((text) => parseType(text) ?? 0);

/** What stands at a name for someone, without what its chain leads to. */
function ownRecords(snapshot: Snapshot, name: string, qtype: number, from: string): readonly string[] {
  const question = { qname: nameOctets(nameOf(name)), qtype, qclass: CLASS.IN };
  const resolution = resolve(snapshot, question, askerAt(from));
  const hop = resolution.kind === "resolved" ? resolution.hops[0] : undefined;
  const rrset = hop?.found === "rrset" || hop?.found === "cname" ? hop.rrset : undefined;
  return rrset === undefined ? [hop?.found ?? "nothing"] : formatRRset(rrset).toSorted();
}

function zoneOf({ configuration }: Snapshot, apex: DomainName) {
  const zone = configuration.zones.get(apex);
  if (zone?.kind !== "records") throw new Error(`${apex} is not served`);
  return zone;
}

const lab = snapshotOf(join(here, "../config/geodns365.yaml"));
const tailored = snapshotOf(join(here, "scenarios/fixtures/tailored.yaml"));

const rows = [
  ...[...lab.configuration.zones.keys()].map((apex) => ({ snapshot: lab, apex, from: "10.4.0.1" })),
  ...["10.1.1.1", "10.2.0.1", "2001:db8:101:100::1", "203.0.113.9"].map((from) => ({
    snapshot: tailored,
    apex: nameOf("example.test"),
    from,
  })),
];

test.each(rows)("$apex from $from, read back, answers alike", ({ snapshot, apex, from }) => {
  const zone = zoneOf(snapshot, apex);
  const lines = [...exportZone(snapshot, zone, askerAt(from))];
  writeFileSync(join(folder, "a.zone"), `${lines.join("\n")}\n`);
  writeFileSync(
    join(folder, "lab.yaml"),
    `geoip: { database: none }\nzones: [{ zone: ${apex}, file: a.zone }]\n`,
  );
  const readBack = snapshotOf(join(folder, "lab.yaml"));
  const differing: string[] = [];
  for (const [name] of zone.nodes) {
    // What a zone below has the say of, it delegates.
    if (findZone(snapshot.configuration.zones, name) !== zone) continue;
    for (const qtype of types) {
      const before = ownRecords(snapshot, name, qtype, from);
      // A tailored name that holds nothing here exists all the same.
      const after = ownRecords(readBack, name, qtype, from).map((text) => text.replace("nxdomain", "nodata"));
      if (before.join() !== after.join()) differing.push(`${name} ${qtype}: ${before} / ${after}`);
    }
  }
  expect(differing).toEqual([]);
});

describe("the lines of a zone", () => {
  const lines = [...exportZone(lab, zoneOf(lab, nameOf("office.com")), askerAt("10.1.0.1"))];

  it("begin with the SOA and the apex", () => {
    expect(lines.slice(0, 3)).toEqual([
      "office.com. 3600 SOA ns1.office.com. hostmaster.office.com. 1 3600 600 604800 60",
      "office.com. 3600 NS ns1.office.com.",
      "office.com. 3600 NS ns2.office.com.",
    ]);
  });

  it("have names in canonical order (RFC 4034 §6.1)", () => {
    const labels = lines
      .slice(3)
      .map((line) => line.split(" ")[0]?.toLowerCase().split(".").reverse().join(" ") ?? "");
    expect(labels).toEqual(labels.toSorted());
  });

  it("say why a tailored name holds what it holds", () => {
    expect(lines).toContain("outlook.ms-acdc.office.com. 60 CNAME LHR-efz.ms-acdc.office.com. ; nearest");
  });
});
