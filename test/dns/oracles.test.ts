/** The codec against two others, dns-packet and dns2: what one writes the others read alike. */

import dnsPacket from "dns-packet";
import { Packet } from "dns2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clientSubnetOf, clientSubnetOption } from "../../src/dns/client-subnet.ts";
import { decodeMessage, decodeQuery } from "../../src/dns/decode.ts";
import type { ResourceRecord } from "../../src/dns/message.ts";
import { foldCase } from "../../src/dns/name.ts";
import { renderQuery, renderResponse } from "../../src/dns/render.ts";
import {
  type AddressFamily,
  addressBits,
  formatAddress,
  type IpPrefix,
  maskOctets,
  parseAddress,
} from "../../src/ip.ts";
import { dnsPacketName, poolName, type ShownRRset, shownSections, wireOf } from "./arbitraries.ts";

const family: fc.Arbitrary<AddressFamily> = fc.constantFrom(4, 6);
const prefix: fc.Arbitrary<IpPrefix> = family.chain((of) => {
  const bits = addressBits(of);
  return fc
    .tuple(
      fc.array(fc.constantFrom(0, 0, 1, 0x20, 0x7f, 0xc0, 0xff), {
        minLength: bits / 8,
        maxLength: bits / 8,
      }),
      fc.integer({ min: 0, max: bits }),
    )
    .map(([octets, length]) => ({ family: of, octets: maskOctets(Uint8Array.from(octets), length), length }));
});

/** dns2 reads the address in 16-bit words, so an odd number of octets costs it the whole OPT (packet.js, ECS.decode). */
const dns2Reads = (subnet: IpPrefix | undefined): boolean =>
  subnet === undefined || subnet.family === 4 || Math.ceil(subnet.length / 8) % 2 === 0;

/** The fields in which the oracles put names and addresses. */
const nameFields = new Set([
  "name",
  "data",
  "domain",
  "ns",
  "exchange",
  "target",
  "primary",
  "admin",
  "mname",
  "rname",
  "address",
  "ip",
]);

/**
 * A copy without what may differ: the spelling of names, which compression does not keep, and that of IPv6 addresses,
 * which dns-packet does not shorten as RFC 5952 has it.
 */
function plain(value: unknown, field = ""): unknown {
  if (typeof value === "string" && nameFields.has(field)) {
    const octets = parseAddress(value)?.octets;
    return octets === undefined ? value.toLowerCase() : formatAddress(octets);
  }
  if (Buffer.isBuffer(value) || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => plain(item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]));
}

const inDnsPacket = (rrsets: readonly ShownRRset[]) =>
  rrsets.flatMap(({ owner, rrset, records }) =>
    records.map(({ dnsPacket }) => ({
      name: dnsPacketName(owner),
      ttl: rrset.ttlSeconds,
      class: "IN",
      flush: false,
      ...dnsPacket,
    })),
  );

const inDns2 = (rrsets: readonly ShownRRset[]) =>
  rrsets.flatMap(({ owner, rrset, records }) =>
    records.map(({ type, dns2 }) => ({ name: owner, type, class: 1, ttl: rrset.ttlSeconds, ...dns2 })),
  );

const inOurs = (rrsets: readonly ShownRRset[]): readonly ResourceRecord[] =>
  rrsets.flatMap(({ rrset }) =>
    rrset.rdatas.map((rdata) => ({
      owner: rrset.owner,
      type: rrset.type,
      class: 1,
      ttlSeconds: rrset.ttlSeconds,
      rdata,
    })),
  );

/** Records whose names are folded; RDATA of types without names stays as it is. */
const folded = (records: readonly ResourceRecord[]) =>
  records.map((one) => ({
    ...one,
    owner: foldCase(one.owner),
    rdata: [2, 5, 6, 12, 15].includes(one.type) ? foldCase(one.rdata) : one.rdata,
  }));

const anyResponse = fc.record({
  sections: shownSections,
  qname: poolName,
  qtype: fc.constantFrom(1, 2, 5, 6, 12, 15, 16, 28, 33, 255),
  id: fc.nat(0xffff),
  recursionDesired: fc.boolean(),
  authoritative: fc.boolean(),
  rcode: fc.constantFrom(0, 1, 2, 3, 4, 5),
  edns: fc.option(
    fc.record({
      udpPayloadSize: fc.integer({ min: 512, max: 0xffff }),
      dnssecOk: fc.boolean(),
      subnet: fc.option(prefix, { nil: undefined }),
      scope: fc.nat(32),
      // dns2 cuts TTLs off at 2^31-1, the OPT's too, so it cannot tell extended RCODEs from 0x800 up.
      upperRcode: fc.constantFrom(0, 1, 0x7f),
    }),
    { nil: undefined },
  ),
});

describe("a random response", () => {
  test("is read alike by decodeMessage, dns-packet and dns2", () => {
    fc.assert(
      fc.property(
        anyResponse,
        ({ sections, qname, qtype, id, recursionDesired, authoritative, rcode, edns }) => {
          const { subnet, scope = 0 } = edns ?? {};
          const options = subnet === undefined ? [] : [clientSubnetOption(clientSubnetOf(subnet), scope)];
          const upperRcode = edns?.upperRcode ?? 0;
          const octets = renderResponse(
            {
              header: { id, opcode: 0, recursionDesired },
              question: { qname: wireOf(qname), qtype, qclass: 1 },
              authoritative,
              rcode: upperRcode * 16 + rcode,
              sections: {
                glue: sections.glue.map(({ rrset }) => rrset),
                answer: sections.answer.map(({ rrset }) => rrset),
                authority: sections.authority.map(({ rrset }) => rrset),
                additional: sections.additional.map(({ rrset }) => rrset),
              },
              edns: edns && {
                udpPayloadSize: edns.udpPayloadSize,
                dnssecOk: edns.dnssecOk,
                version: 0,
                options,
              },
            },
            0xffff,
          );

          const ours = decodeMessage(octets);
          if (typeof ours === "string") expect.fail(ours);
          expect(ours).toMatchObject({
            id,
            opcode: 0,
            isResponse: true,
            authoritative,
            truncated: false,
            recursionDesired,
            recursionAvailable: false,
            rcode: upperRcode * 16 + rcode,
            questions: [{ qname: wireOf(qname), qtype, qclass: 1 }],
            clientSubnet: subnet && { sourcePrefixLength: subnet.length, scopePrefixLength: scope },
          });
          expect(folded(ours.answer)).toEqual(folded(inOurs(sections.answer)));
          expect(folded(ours.authority)).toEqual(folded(inOurs(sections.authority)));
          const additional = [...sections.glue, ...sections.additional];
          expect(folded(ours.additional)).toEqual(folded(inOurs(additional)));

          const theirs = dnsPacket.decode(Buffer.from(octets));
          expect(dnsPacket.decode.bytes).toBe(octets.length);
          expect(theirs).toMatchObject({
            id,
            type: "response",
            opcode: "QUERY",
            flag_aa: authoritative,
            flag_tc: false,
            flag_rd: recursionDesired,
            flag_ra: false,
            flag_z: false,
            rcode: ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"][rcode],
            questions: [{ name: dnsPacketName(qname), class: "IN" }],
          });
          expect(plain(theirs.answers)).toEqual(plain(inDnsPacket(sections.answer)));
          expect(plain(theirs.authorities)).toEqual(plain(inDnsPacket(sections.authority)));
          const theirOpt = edns && {
            name: ".",
            type: "OPT",
            udpPayloadSize: edns.udpPayloadSize,
            extendedRcode: upperRcode,
            ednsVersion: 0,
            flags: edns.dnssecOk ? 0x8000 : 0,
            flag_do: edns.dnssecOk,
            options: options.map((option) => ({
              code: 8,
              type: "CLIENT_SUBNET",
              data: Buffer.from(option.octets),
              family: subnet?.family === 4 ? 1 : 2,
              sourcePrefixLength: subnet?.length,
              scopePrefixLength: scope,
              ip: formatAddress(subnet?.octets ?? Uint8Array.of()),
            })),
          };
          expect(plain(theirs.additionals)).toEqual(
            plain([...inDnsPacket(additional), ...(theirOpt === undefined ? [] : [theirOpt])]),
          );

          if (!dns2Reads(subnet)) return;
          const packet = Packet.parse(Buffer.from(octets));
          expect(packet.errors).toEqual([]);
          expect(packet.header).toMatchObject({
            id,
            qr: 1,
            opcode: 0,
            aa: Number(authoritative),
            tc: 0,
            rd: Number(recursionDesired),
            ra: 0,
            z: 0,
            rcode: upperRcode * 16 + rcode,
          });
          expect(packet.questions).toMatchObject([{ name: qname, type: qtype, class: 1 }]);
          expect(plain(packet.answers)).toEqual(plain(inDns2(sections.answer)));
          expect(plain(packet.authorities)).toEqual(plain(inDns2(sections.authority)));
          const dns2Opt = edns && {
            name: "",
            type: 41,
            class: edns.udpPayloadSize,
            ttl: upperRcode * 0x1000000 + (edns.dnssecOk ? 0x8000 : 0),
            extendedRcode: upperRcode,
            version: 0,
            doFlag: edns.dnssecOk,
            rdata: options.map(() => ({
              ednsCode: 8,
              family: subnet?.family === 4 ? 1 : 2,
              sourcePrefixLength: subnet?.length,
              scopePrefixLength: scope,
              ip: formatAddress(subnet?.octets ?? Uint8Array.of()),
            })),
          };
          expect(plain(packet.additionals)).toEqual(
            plain([...inDns2(additional), ...(dns2Opt === undefined ? [] : [dns2Opt])]),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

const anyQuery = fc.record({
  qname: poolName,
  // Types that dns-packet has a name for; it writes those that it does not know as TYPE0.
  qtype: fc.constantFrom(
    { name: "A", number: 1 } as const,
    { name: "MX", number: 15 } as const,
    { name: "AAAA", number: 28 } as const,
    { name: "SRV", number: 33 } as const,
    { name: "CAA", number: 257 } as const,
  ),
  qclass: fc.constantFrom({ name: "IN", number: 1 } as const, { name: "CH", number: 3 } as const),
  id: fc.nat(0xffff),
  recursionDesired: fc.boolean(),
  edns: fc.option(
    fc.record({
      udpPayloadSize: fc.integer({ min: 1, max: 0xffff }),
      dnssecOk: fc.boolean(),
      subnet: fc.option(prefix, { nil: undefined }),
    }),
    { nil: undefined },
  ),
});
type AnyQuery = typeof anyQuery extends fc.Arbitrary<infer Value> ? Value : never;

/** What decodeQuery should make of it. */
const expected = ({ qname, qtype, qclass, id, recursionDesired, edns }: AnyQuery) => ({
  kind: "query",
  query: {
    header: { id, opcode: 0, recursionDesired },
    question: { qname: wireOf(qname), qtype: qtype.number, qclass: qclass.number },
    edns: edns && {
      udpPayloadSize: edns.udpPayloadSize,
      version: 0,
      dnssecOk: edns.dnssecOk,
      options: edns.subnet === undefined ? [] : [clientSubnetOption(clientSubnetOf(edns.subnet), 0)],
    },
    clientSubnet: edns?.subnet && clientSubnetOf(edns.subnet),
    cookie: undefined,
  },
});

describe("a random query", () => {
  test("made by renderQuery is read alike by decodeQuery, dns-packet and dns2", () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        const { qname, qtype, qclass, id, recursionDesired, edns } = query;
        const question = { qname: wireOf(qname), qtype: qtype.number, qclass: qclass.number };
        const octets = renderQuery(question, { id, recursionDesired, edns });
        expect(decodeQuery(octets)).toEqual(expected(query));

        const subnet = edns?.subnet;
        const ecs = subnet && {
          family: subnet.family === 4 ? 1 : 2,
          sourcePrefixLength: subnet.length,
          scopePrefixLength: 0,
          ip: formatAddress(subnet.octets),
        };
        const theirs = dnsPacket.decode(Buffer.from(octets));
        expect(dnsPacket.decode.bytes).toBe(octets.length);
        expect(plain(theirs)).toMatchObject({
          id,
          type: "query",
          flags: recursionDesired ? dnsPacket.RECURSION_DESIRED : 0,
          questions: [{ name: dnsPacketName(qname).toLowerCase(), type: qtype.name, class: qclass.name }],
          answers: [],
          authorities: [],
          additionals:
            edns === undefined
              ? []
              : [
                  {
                    type: "OPT",
                    udpPayloadSize: edns.udpPayloadSize,
                    ednsVersion: 0,
                    extendedRcode: 0,
                    flags: edns.dnssecOk ? dnsPacket.DNSSEC_OK : 0,
                    options: ecs === undefined ? [] : [{ code: 8, ...ecs }],
                  },
                ],
        });

        if (!dns2Reads(subnet)) return;
        const packet = Packet.parse(Buffer.from(octets));
        expect(packet.errors).toEqual([]);
        expect(packet.header).toMatchObject({
          id,
          qr: 0,
          opcode: 0,
          aa: 0,
          tc: 0,
          rd: Number(recursionDesired),
          ra: 0,
        });
        expect(packet.questions).toMatchObject([{ name: qname, type: qtype.number, class: qclass.number }]);
        expect(plain(packet.additionals)).toMatchObject(
          edns === undefined
            ? []
            : [
                {
                  type: 41,
                  class: edns.udpPayloadSize,
                  version: 0,
                  doFlag: edns.dnssecOk,
                  rdata: ecs === undefined ? [] : [{ ednsCode: 8, ...ecs }],
                },
              ],
        );
      }),
      { numRuns: 300 },
    );
  });

  test("made by dns-packet is read by decodeQuery", () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        const { qname, qtype, qclass, id, recursionDesired, edns } = query;
        // @types/dns-packet has no CAA and no CLIENT_SUBNET by number, so the query goes in as it is.
        const packet: object = {
          type: "query",
          id,
          flags: recursionDesired ? dnsPacket.RECURSION_DESIRED : 0,
          questions: [{ name: dnsPacketName(qname), type: qtype.name, class: qclass.name }],
          additionals:
            edns === undefined
              ? []
              : [
                  {
                    name: ".",
                    type: "OPT",
                    udpPayloadSize: edns.udpPayloadSize,
                    flags: edns.dnssecOk ? dnsPacket.DNSSEC_OK : 0,
                    options:
                      edns.subnet === undefined
                        ? []
                        : [
                            {
                              code: 8,
                              family: edns.subnet.family === 4 ? 1 : 2,
                              ip: formatAddress(edns.subnet.octets),
                              sourcePrefixLength: edns.subnet.length,
                            },
                          ],
                  },
                ],
        };
        expect(decodeQuery(Uint8Array.from(dnsPacket.encode(packet)))).toEqual(expected(query));
      }),
      { numRuns: 300 },
    );
  });

  test("made by dns2 is read by decodeQuery", () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        const { qname, qtype, qclass, id, recursionDesired, edns } = query;
        const packet = new Packet();
        packet.header.id = id;
        packet.header.rd = recursionDesired ? 1 : 0;
        packet.questions.push(new Packet.Question(qname, qtype.number, qclass.number));
        if (edns !== undefined) {
          const { subnet, ...opts } = edns;
          // Its ECS() makes family 1 of an IPv6 prefix and /32 of /0, so the option is put together here.
          const option = subnet && {
            ednsCode: 8,
            family: subnet.family === 4 ? 1 : 2,
            sourcePrefixLength: subnet.length,
            scopePrefixLength: 0,
            ip: formatAddress(subnet.octets),
          };
          packet.additionals.push(
            Packet.Resource.EDNS(option === undefined ? [] : [option], {
              udpPayloadSize: opts.udpPayloadSize,
              doFlag: opts.dnssecOk,
            }),
          );
        }
        expect(decodeQuery(Uint8Array.from(packet.toBuffer()))).toEqual(expected(query));
      }),
      { numRuns: 300 },
    );
  });
});
