/** The simulated cache against the plainest model of RFC 7871 §7.3. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SubnetCache } from "../../src/audit/subnet-cache.ts";
import { addressBits, type IpPrefix, prefixContains, prefixOf } from "../../src/ip.ts";
import { address, family, octetsOf } from "../geo/prefixes.ts";

const octets = (text: string): Uint8Array => address(text).octets;

describe("a cache of answers by client subnet", () => {
  test("gives an answer of scope 0 to everyone (RFC 7871 §7.3.1)", () => {
    const cache = new SubnetCache(4);
    cache.store(octets("10.1.2.0"), { sourcePrefixLength: 24, scopePrefixLength: 0 }, 7);
    expect(cache.lookup(octets("203.0.113.9"))).toBe(7);
  });

  test("ties an answer to its scope, and the longest prefix that holds a client counts", () => {
    const cache = new SubnetCache(4);
    cache.store(octets("10.0.0.0"), { sourcePrefixLength: 24, scopePrefixLength: 8 }, 0);
    cache.store(octets("10.1.2.0"), { sourcePrefixLength: 24, scopePrefixLength: 16 }, 1);
    const found = ["10.9.9.9", "10.1.9.9", "11.0.0.1"].map((at) => cache.lookup(octets(at)));
    expect(found).toEqual([0, 1, undefined]);
  });

  test("cuts a scope to the source prefix length (RFC 7871 §7.3.1)", () => {
    const cache = new SubnetCache(6);
    cache.store(octets("2001:db8::"), { sourcePrefixLength: 32, scopePrefixLength: 48 }, 3);
    expect(cache.lookup(octets("2001:db8:ffff::1"))).toBe(3);
    expect(cache.lookup(octets("2001:db9::1"))).toBeUndefined();
  });

  test("does as a list of prefixes does that is searched from end to end", () => {
    const session = family.chain((each) =>
      fc.record({
        each: fc.constant(each),
        stored: fc.array(
          fc.record({
            octets: octetsOf(each),
            source: fc.integer({ min: 1, max: addressBits(each) }),
            scope: fc.integer({ min: 0, max: addressBits(each) }),
            answer: fc.nat(5),
          }),
          { maxLength: 20 },
        ),
        clients: fc.array(octetsOf(each), { minLength: 1, maxLength: 10 }),
      }),
    );
    fc.assert(
      fc.property(session, ({ each, stored, clients }) => {
        const cache = new SubnetCache(each);
        const model: { readonly prefix: IpPrefix; readonly answer: number }[] = [];
        for (const { octets: at, source, scope, answer } of stored) {
          cache.store(at, { sourcePrefixLength: source, scopePrefixLength: scope }, answer);
          const tied = prefixOf({ family: each, octets: at }, Math.min(source, scope));
          model.unshift({ prefix: tied, answer });
          for (const client of [...clients, at]) {
            const [naive] = model
              .filter(({ prefix }) => prefixContains(prefix, { family: each, octets: client }))
              .toSorted((a, b) => b.prefix.length - a.prefix.length);
            expect(cache.lookup(client)).toBe(naive?.answer);
          }
        }
      }),
    );
  });
});
