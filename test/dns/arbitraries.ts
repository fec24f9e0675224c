/** Names, records and RRsets at random; records with what the oracles should make of them. */

import fc from "fast-check";
import type { RRset } from "../../src/dns/message.ts";
import { domainName } from "../../src/dns/name.ts";
import { formatAddress } from "../../src/ip.ts";
import { labels, octets, string, uint16, uint32 } from "./wire.ts";

/** Octets that mean something in presentation format or in comparing, among all others. */
const labelOctet = fc.oneof(
  fc.constantFrom(...Buffer.from('aAzZ@[`{.\\"();$* 019-_', "latin1"), 0, 0x1f, 0x7f, 0xc0, 0xe0, 0xff),
  fc.integer({ min: 0, max: 255 }),
);

const label = fc.oneof(
  { weight: 4, arbitrary: fc.array(labelOctet, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(labelOctet, { minLength: 1, maxLength: 63, size: "max" }) },
);

/** A list of labels that makes a name of 255 octets at the most. */
export const labelList: fc.Arbitrary<readonly (readonly number[])[]> = fc
  .array(label, { maxLength: 12, size: "max" })
  .map((list) => {
    const fitting: number[][] = [];
    let length = 1;
    for (const octetsOfLabel of list) {
      length += 1 + octetsOfLabel.length;
      if (length > 255) break;
      fitting.push(octetsOfLabel);
    }
    return fitting;
  });

export const wireName = (list: readonly (readonly number[])[]): Uint8Array =>
  octets(...list.flatMap((octetsOfLabel) => [octetsOfLabel.length, octetsOfLabel]), 0);

/**
 * Few names with common endings, in mixed case, so that compression has work to do. Their labels need no escapes: both
 * oracles put labels together with dots and cannot tell an escaped one.
 */
export const poolName: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      "",
      "example",
      "mail.example",
      "www.mail.example",
      "_sip._tls.mail.example",
      "contoso-example.mail.protection.example",
      "a.b.c.d.e.f.www.mail.example",
      "test",
      "mail",
    ),
    fc.infiniteStream(fc.boolean()),
  )
  .map(([text, upper]) =>
    [...text]
      .map((character) => (upper.next().value === true ? character.toUpperCase() : character))
      .join(""),
  );

export const wireOf = (text: string): Uint8Array => (text === "" ? labels() : labels(...text.split(".")));

/** A record's type and RDATA, and how dns-packet and dns2 show it. */
export interface Shown {
  readonly type: number;
  readonly rdata: Uint8Array;
  readonly dnsPacket: { readonly type: string; readonly data: unknown };
  readonly dns2: Readonly<Record<string, unknown>>;
}

const uint16Value = fc.integer({ min: 0, max: 0xffff });
const uint32Value = fc.oneof(fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));
/** Printable ASCII: both oracles read UTF-8 and put U+FFFD for what is none. */
const asciiText = fc.oneof(fc.string({ unit: "binary-ascii", maxLength: 12 }), fc.constant("x".repeat(255)));
const octetsOf = (length: number) =>
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 0x41, 0x20, 0xc0, 0xff), { minLength: length, maxLength: length })
    .map((list) => Uint8Array.from(list));

/** dns-packet shows the root as a dot, dns2 as nothing. */
export const dnsPacketName = (text: string): string => (text === "" ? "." : text);

const ofName = (type: number, mnemonic: string, field: string): fc.Arbitrary<Shown> =>
  poolName.map((text) => ({
    type,
    rdata: wireOf(text),
    dnsPacket: { type: mnemonic, data: dnsPacketName(text) },
    dns2: { [field]: text },
  }));

const shownOfType: Readonly<Record<string, fc.Arbitrary<Shown>>> = {
  A: octetsOf(4).map((rdata) => ({
    type: 1,
    rdata,
    dnsPacket: { type: "A", data: rdata.join(".") },
    dns2: { address: rdata.join(".") },
  })),
  AAAA: octetsOf(16).map((rdata) => ({
    type: 28,
    rdata,
    dnsPacket: { type: "AAAA", data: formatAddress(rdata) },
    dns2: { address: formatAddress(rdata) },
  })),
  NS: ofName(2, "NS", "ns"),
  CNAME: ofName(5, "CNAME", "domain"),
  PTR: ofName(12, "PTR", "domain"),
  MX: fc.tuple(uint16Value, poolName).map(([preference, exchange]) => ({
    type: 15,
    rdata: octets(uint16(preference), wireOf(exchange)),
    dnsPacket: { type: "MX", data: { preference, exchange: dnsPacketName(exchange) } },
    dns2: { priority: preference, exchange },
  })),
  SOA: fc
    .tuple(poolName, poolName, fc.tuple(uint32Value, uint32Value, uint32Value, uint32Value, uint32Value))
    .map(([mname, rname, [serial, refresh, retry, expire, minimum]]) => ({
      type: 6,
      rdata: octets(
        wireOf(mname),
        wireOf(rname),
        ...[serial, refresh, retry, expire, minimum].map((value) => uint32(value)),
      ),
      dnsPacket: {
        type: "SOA",
        data: {
          mname: dnsPacketName(mname),
          rname: dnsPacketName(rname),
          serial,
          refresh,
          retry,
          expire,
          minimum,
        },
      },
      dns2: { primary: mname, admin: rname, serial, refresh, retry, expiration: expire, minimum },
    })),
  SRV: fc.tuple(uint16Value, uint16Value, uint16Value, poolName).map(([priority, weight, port, target]) => ({
    type: 33,
    rdata: octets(uint16(priority), uint16(weight), uint16(port), wireOf(target)),
    dnsPacket: { type: "SRV", data: { priority, weight, port, target: dnsPacketName(target) } },
    dns2: { priority, weight, port, target },
  })),
  TXT: fc.array(asciiText, { minLength: 1, maxLength: 3 }).map((texts) => ({
    type: 16,
    rdata: octets(...texts.map(string)),
    dnsPacket: { type: "TXT", data: texts.map((text) => Buffer.from(text)) },
    dns2: { data: texts },
  })),
  CAA: fc
    .tuple(fc.constantFrom(0, 128), fc.constantFrom("issue", "issuewild", "iodef"), asciiText)
    .map(([flags, tag, value]) => ({
      type: 257,
      rdata: octets(flags, string(tag), value),
      dnsPacket: { type: "CAA", data: { flags, tag, value, issuerCritical: flags === 128 } },
      dns2: { flags, tag, value },
    })),
  TYPE65280: fc.uint8Array({ maxLength: 20 }).map((rdata) => ({
    type: 65280,
    rdata,
    dnsPacket: { type: "UNKNOWN_65280", data: Buffer.from(rdata) },
    dns2: { data: Buffer.from(rdata) },
  })),
};

export const shown: fc.Arbitrary<Shown> = fc.oneof(...Object.values(shownOfType));

export interface ShownRRset {
  readonly owner: string;
  readonly rrset: RRset;
  readonly records: readonly Shown[];
}

/** TTLs below 2^31, as RFC 2181 §8 has them; dns2 cuts off larger ones. */
const ttl = fc.oneof(fc.constantFrom(0, 60, 0x7fffffff), fc.nat(0x7fffffff));

export const shownRRset: fc.Arbitrary<ShownRRset> = fc
  .tuple(
    poolName,
    fc
      .constantFrom(...Object.values(shownOfType))
      .chain((arbitrary) => fc.array(arbitrary, { minLength: 1, maxLength: 4 })),
    ttl,
  )
  .map(([owner, records, ttlSeconds]) => ({
    owner,
    records,
    rrset: {
      owner: wireOf(owner),
      name: domainName(wireOf(owner)),
      type: records[0]?.type ?? 0,
      ttlSeconds,
      rdatas: records.map(({ rdata }) => rdata),
    },
  }));

const shownSection = fc.array(shownRRset, { maxLength: 5 });
export interface ShownSections {
  readonly answer: readonly ShownRRset[];
  readonly authority: readonly ShownRRset[];
  readonly glue: readonly ShownRRset[];
  readonly additional: readonly ShownRRset[];
}
export const shownSections: fc.Arbitrary<ShownSections> = fc.record({
  answer: shownSection,
  authority: shownSection,
  glue: fc.array(shownRRset, { maxLength: 2 }),
  additional: shownSection,
});
