/** RDATA in wire format at random, by type: valid octets of every field, put together by hand and not by the code under test. */

import fc from "fast-check";
import { labelList, wireName } from "./arbitraries.ts";
import { octets, type Part, string, uint16, uint32 } from "./wire.ts";

const uint8Value = fc.nat(0xff).map((value) => [value]);
const uint16Value = fc.nat(0xffff).map(uint16);
const uint32Value = fc.oneof(fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff })).map(uint32);
const octetsOf = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength, size: "max" });
const someOctets = octetsOf(1, 60);
const name = labelList.map(wireName);
/** Octets that escapes are made of, among all others. */
const characters = fc
  .array(fc.oneof(fc.constantFrom(...Buffer.from('\\"; ,=()@$\t\n\x7f\x00\xff', "latin1")), fc.nat(0xff)), {
    maxLength: 40,
  })
  .map((list) => Uint8Array.from(list));
const counted = (of: fc.Arbitrary<Uint8Array>) => of.map((value) => octets(value.length, value));
const characterString = fc.oneof(
  { weight: 9, arbitrary: counted(characters) },
  { weight: 1, arbitrary: counted(octetsOf(255)) },
);
const rdata = (...fields: readonly fc.Arbitrary<Part>[]) =>
  fc.tuple(...fields).map((parts) => octets(...parts));
const strings = fc.array(characterString, { minLength: 1, maxLength: 4 }).map((parts) => octets(...parts));

/** Blocks of a type bitmap (RFC 4034 §4.1.2) for types at random. */
function bitmap(minLength: number): fc.Arbitrary<Uint8Array> {
  const type = fc.oneof(fc.nat(300), fc.nat(0xffff));
  return fc.uniqueArray(type, { minLength, maxLength: 8 }).map((types) => {
    const parts: Part[] = [];
    for (const window of [...new Set(types.map((one) => one >> 8))].sort((a, b) => a - b)) {
      const lows = types.filter((one) => one >> 8 === window).map((one) => one & 0xff);
      const bits = new Uint8Array((Math.max(...lows) >> 3) + 1);
      for (const low of lows) bits[low >> 3] = (bits[low >> 3] ?? 0) | (0x80 >> (low & 7));
      parts.push(window, bits.length, bits);
    }
    return octets(...parts);
  });
}

const digest = (lengths: Readonly<Record<number, number>>, minLength: number) =>
  fc
    .oneof(fc.constantFrom(...Object.keys(lengths).map(Number)), fc.nat(0xff))
    .chain((kind) => rdata(fc.constant([kind]), octetsOf(lengths[kind] ?? minLength, lengths[kind] ?? 70)));
const ds = rdata(uint16Value, uint8Value, digest({ 1: 20, 2: 32, 4: 48 }, 1));
/** Algorithm 253 begins its key with a name. */
const algorithmAndKey = fc
  .nat(0xff)
  .chain((algorithm) =>
    algorithm === 253
      ? rdata(fc.constant([253]), name, octetsOf(0, 20))
      : rdata(fc.constant([algorithm]), someOctets),
  );
const dnskey = rdata(uint16Value, uint8Value, algorithmAndKey);
const signature = fc
  .tuple(labelList, fc.nat(3))
  .chain(([list, more]) =>
    rdata(
      uint16Value,
      uint8Value,
      fc.constant([list.length + more]),
      uint32Value,
      uint32Value,
      uint32Value,
      uint16Value,
      fc.constant(wireName(list)),
      someOctets,
    ),
  );

const place = (degrees: number) =>
  fc
    .integer({ min: -degrees * 3_600_000, max: degrees * 3_600_000 })
    .map((angle) => uint32(0x80000000 + angle));
const diameter = fc
  .tuple(fc.nat(9), fc.nat(9))
  .map(([digit, power]) => [digit * 16 + (digit === 0 ? 0 : power)]);

const withoutZerosBehind = (list: Uint8Array): Uint8Array =>
  list.slice(0, list.findLastIndex((octet) => octet !== 0) + 1);
const prefix = fc
  .constantFrom([1, 4] as const, [2, 16] as const)
  .chain(([family, octetCount]) =>
    fc
      .tuple(fc.nat(octetCount * 8), fc.boolean(), octetsOf(0, octetCount).map(withoutZerosBehind))
      .map(([length, negated, address]) =>
        octets(uint16(family), length, address.length + (negated ? 0x80 : 0), address),
      ),
  );

const gateway = fc.oneof(
  rdata(fc.constant([0]), uint8Value),
  rdata(fc.constant([1]), uint8Value, octetsOf(4)),
  rdata(fc.constant([2]), uint8Value, octetsOf(16)),
  rdata(fc.constant([3]), uint8Value, name),
);
const relay = fc.oneof(
  fc.constantFrom([0], [0x80], [4, 1, 2], [0xff]),
  rdata(fc.constantFrom([1], [0x81]), octetsOf(4)),
  rdata(fc.constantFrom([2], [0x82]), octetsOf(16)),
  rdata(fc.constantFrom([3], [0x83]), name),
);

const svcParamValues: Readonly<Record<number, fc.Arbitrary<Uint8Array>>> = {
  1: fc
    .array(
      characters.filter(({ length }) => length > 0),
      { minLength: 1, maxLength: 3 },
    )
    .map((list) => octets(...list.map((protocol) => octets(protocol.length, protocol)))),
  2: fc.constant(octets()),
  3: octetsOf(2),
  4: fc.array(octetsOf(4), { minLength: 1, maxLength: 3 }).map((list) => octets(...list)),
  5: octetsOf(0, 20),
  6: fc.array(octetsOf(16), { minLength: 1, maxLength: 3 }).map((list) => octets(...list)),
  7: fc.constantFrom("/dns-query{?dns}", "/{dns}", "/a/{+b,dns:30}{&c*}").map((path) => octets(path)),
};
/** Parameters in the order of their keys; `mandatory` lists some of those that are there (RFC 9460 §8). */
const svcParams = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 0xffff })), {
    maxLength: 6,
  })
  .map((keys) => (keys.includes(2) && !keys.includes(1) ? [...keys, 1] : keys).sort((a, b) => a - b))
  .chain((keys) => fc.tuple(fc.constant(keys), fc.subarray([...keys])))
  .chain(([keys, mandatory]) =>
    fc
      .tuple(...keys.map((key) => svcParamValues[key] ?? characters))
      .map((values) =>
        octets(
          ...(mandatory.length === 0
            ? []
            : [uint16(0), uint16(mandatory.length * 2), ...mandatory.map(uint16)]),
          ...keys.flatMap((key, i) => [uint16(key), uint16(values[i]?.length ?? 0), values[i] ?? []]),
        ),
      ),
  );
const svcb = rdata(uint16Value, name, svcParams);

const substitution = fc
  .constantFrom("", "!^.*$!sip:info@example!", "/(a|b+)c{2}[^x-z]/\\1\\\\/i", '|a\\|b|"c|', "!\x01!\xff!")
  .map(string);

export const rdataOfType: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  A: octetsOf(4),
  NS: name,
  MD: name,
  MF: name,
  CNAME: name,
  SOA: rdata(name, name, uint32Value, uint32Value, uint32Value, uint32Value, uint32Value),
  MB: name,
  MG: name,
  MR: name,
  NULL: octetsOf(0, 20),
  WKS: rdata(octetsOf(4), uint8Value, octetsOf(0, 40).map(withoutZerosBehind)),
  PTR: name,
  HINFO: rdata(characterString, characterString),
  MINFO: rdata(name, name),
  MX: rdata(uint16Value, name),
  TXT: strings,
  RP: rdata(name, name),
  AFSDB: rdata(uint16Value, name),
  X25: fc.stringMatching(/^[0-9]{4,20}$/).map(string),
  ISDN: fc.oneof(characterString, rdata(characterString, characterString)),
  RT: rdata(uint16Value, name),
  NSAP: someOctets,
  "NSAP-PTR": name,
  SIG: signature,
  KEY: fc.oneof(
    rdata(fc.nat(0xbfff).map(uint16), uint8Value, algorithmAndKey),
    rdata(fc.integer({ min: 0xc000, max: 0xffff }).map(uint16), uint8Value, uint8Value),
  ),
  PX: rdata(uint16Value, name, name),
  GPOS: rdata(characterString, characterString, characterString),
  AAAA: octetsOf(16),
  LOC: fc.oneof(
    rdata(fc.constant([0]), diameter, diameter, diameter, place(90), place(180), uint32Value),
    rdata(fc.constant([1]), octetsOf(0, 20)),
  ),
  NXT: rdata(
    name,
    fc.uniqueArray(fc.integer({ min: 1, max: 127 }), { maxLength: 5 }).map((types) => {
      const bits = new Uint8Array(types.length === 0 ? 0 : (Math.max(...types) >> 3) + 1);
      for (const type of types) bits[type >> 3] = (bits[type >> 3] ?? 0) | (0x80 >> (type & 7));
      return bits;
    }),
  ),
  EID: someOctets,
  NIMLOC: someOctets,
  SRV: rdata(uint16Value, uint16Value, uint16Value, name),
  NAPTR: rdata(uint16Value, uint16Value, characterString, characterString, substitution, name),
  KX: rdata(uint16Value, name),
  CERT: rdata(fc.oneof(fc.nat(9), fc.nat(0xffff)).map(uint16), uint16Value, uint8Value, someOctets),
  DNAME: name,
  SINK: rdata(uint8Value, uint8Value, uint8Value, octetsOf(0, 20)),
  APL: fc.oneof(
    fc.array(prefix, { maxLength: 3 }).map((items) => octets(...items)),
    fc.constant(octets(0, 3, 8, 1, 10)),
  ),
  DS: ds,
  SSHFP: rdata(uint8Value, digest({ 1: 20, 2: 32 }, 0)),
  IPSECKEY: rdata(uint8Value, gateway, someOctets),
  RRSIG: signature,
  NSEC: rdata(name, bitmap(1)),
  DNSKEY: dnskey,
  DHCID: someOctets,
  NSEC3: fc
    .nat(0xff)
    .chain((hash) =>
      rdata(
        fc.constant([hash]),
        uint8Value,
        uint16Value,
        counted(octetsOf(0, 20)),
        counted(hash === 1 ? octetsOf(20) : octetsOf(1, 39)),
        bitmap(0),
      ),
    ),
  NSEC3PARAM: rdata(uint8Value, uint8Value, uint16Value, counted(octetsOf(0, 255))),
  TLSA: rdata(uint8Value, uint8Value, uint8Value, someOctets),
  SMIMEA: rdata(uint8Value, uint8Value, uint8Value, someOctets),
  HIP: fc
    .tuple(octetsOf(1, 255), fc.nat(0xff), someOctets, fc.array(name, { maxLength: 2 }))
    .map(([tag, algorithm, key, servers]) =>
      octets(tag.length, algorithm, uint16(key.length), tag, key, ...servers),
    ),
  NINFO: strings,
  RKEY: rdata(fc.constant(uint16(0)), uint8Value, algorithmAndKey),
  TALINK: rdata(name, name),
  CDS: ds,
  CDNSKEY: dnskey,
  OPENPGPKEY: someOctets,
  CSYNC: rdata(uint32Value, uint16Value, bitmap(0)),
  ZONEMD: rdata(uint32Value, uint8Value, digest({ 1: 48, 2: 64 }, 12)),
  SVCB: svcb,
  HTTPS: svcb,
  DSYNC: rdata(uint16Value, uint8Value, uint16Value, name),
  HHIT: someOctets,
  BRID: someOctets,
  SPF: strings,
  NID: rdata(uint16Value, octetsOf(8)),
  L32: rdata(uint16Value, octetsOf(4)),
  L64: rdata(uint16Value, octetsOf(8)),
  LP: rdata(uint16Value, name),
  EUI48: octetsOf(6),
  EUI64: octetsOf(8),
  URI: rdata(uint16Value, uint16Value, fc.oneof(characters, octetsOf(300))),
  CAA: rdata(
    uint8Value,
    fc.stringMatching(/^[0-9A-Za-z]{1,20}$/).map(string),
    fc.oneof(characters, octetsOf(300)),
  ),
  AVC: strings,
  DOA: rdata(uint32Value, uint32Value, uint8Value, characterString, octetsOf(0, 40)),
  AMTRELAY: rdata(uint8Value, relay),
  RESINFO: strings,
  WALLET: strings,
  TA: ds,
  DLV: ds,
  TYPE65280: octetsOf(0, 20),
};
