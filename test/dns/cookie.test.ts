import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  answerCookie,
  COOKIE_OCTETS,
  type Cookie,
  type CookieSecrets,
  type CookieVerdict,
  CookieWriter,
  checkServerCookie,
  readCookie,
  serverCookie,
} from "../../src/dns/cookie.ts";
import { sipHash24 } from "../../src/dns/siphash.ts";
import { type IpAddress, parseAddress } from "../../src/ip.ts";
import { hex, octets, uint32 } from "./wire.ts";

function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`"${text}" is not an address`);
  return parsed;
}

function cookieOf(option: Uint8Array): Cookie {
  const cookie = readCookie(option);
  if (typeof cookie === "string") throw new Error(cookie);
  return cookie;
}

const octetsOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyAddress: fc.Arbitrary<IpAddress> = fc.oneof(
  octetsOf(4).map((list): IpAddress => ({ family: 4, octets: list })),
  octetsOf(16).map((list): IpAddress => ({ family: 6, octets: list })),
);

/** The secrets of RFC 9018 Appendix A. */
const secret = hex("e5e973e5a6b2a43f48e7dc849e37bfcf");
const oldSecret = hex("dd3bdf9344b678b185a6f5cb60fca715");
const newSecret = hex("445536bcd2513298075a5d379663c962");

const client = hex("2464c4abcf10c957");
const source = address("198.51.100.100");
const now = 1559731985;
const minute = 60;
const hour = 60 * minute;

/** A cookie of these parts, hashed as RFC 9018 §4.4 says. */
function cookieOfParts({ version = 1, reserved = "000000", timestamp = now, made = secret } = {}): Cookie {
  const head = octets(version, hex(reserved), uint32(timestamp));
  return { client, server: octets(head, sipHash24(made, octets(client, head, source.octets))) };
}

describe("the octets of the option", () => {
  const rows: readonly { name: string; length: number; server: number | undefined }[] = [
    { name: "a client cookie alone (RFC 7873 §4)", length: 8, server: undefined },
    { name: "the shortest server cookie (RFC 7873 §4)", length: 16, server: 8 },
    { name: "a server cookie between", length: 17, server: 9 },
    { name: "a server cookie of RFC 9018 §4", length: 24, server: 16 },
    { name: "the longest server cookie (RFC 7873 §4)", length: 40, server: 32 },
  ];
  test.each(rows)("$name: $length", ({ length, server }) => {
    const option = Uint8Array.from({ length }, (_, i) => i);
    const cookie = cookieOf(option);
    expect(cookie.client).toEqual(option.slice(0, 8));
    expect(cookie.server?.length).toBe(server);
    expect(cookie.server ?? new Uint8Array()).toEqual(option.slice(8));
  });

  const wrong: readonly { name: string; length: number }[] = [
    { name: "nothing, too short for a client cookie (RFC 7873 §5.2.2)", length: 0 },
    { name: "one octet", length: 1 },
    { name: "one octet too few for a client cookie (RFC 7873 §5.2.2)", length: 7 },
    { name: "one octet over a client cookie (RFC 7873 §5.2.2)", length: 9 },
    { name: "one octet too few for a server cookie (RFC 7873 §5.2.2)", length: 15 },
    { name: "one octet over the longest (RFC 7873 §5.2.2)", length: 41 },
    { name: "many octets", length: 65535 },
  ];
  test.each(wrong)("wrong: $name: $length", ({ length }) => {
    expect(readCookie(new Uint8Array(length))).toBe(`the cookie has ${length} octets, not 8 or 16 to 40`);
  });

  test("every length is read or wrong as RFC 7873 §5.2.2 has it", () => {
    const read = Array.from({ length: 64 }, (_, length) => length).filter(
      (length) => typeof readCookie(new Uint8Array(length)) !== "string",
    );
    expect(read).toEqual([8, ...Array.from({ length: 25 }, (_, i) => 16 + i)]);
  });
});

describe("the test vectors of RFC 9018 Appendix A", () => {
  const rows: readonly {
    name: string;
    from: string;
    at: number;
    secrets: CookieSecrets;
    query: string;
    verdict: CookieVerdict;
    response: string;
  }[] = [
    {
      name: "A.1: learning a new server cookie",
      from: "198.51.100.100",
      at: 1559731985,
      secrets: [secret],
      query: "2464c4abcf10c957",
      verdict: "bad",
      response: "2464c4abcf10c957 010000005cf79f111f8130c3eee29480",
    },
    {
      name: "A.2: the same client learning a renewed server cookie",
      from: "198.51.100.100",
      at: 1559734385,
      secrets: [secret],
      query: "2464c4abcf10c957 010000005cf79f111f8130c3eee29480",
      verdict: "renew",
      response: "2464c4abcf10c957 010000005cf7a871d4a564a1442aca77",
    },
    {
      // The appendix calls it valid by its hash; it is 1 h 51 min 55 s old, which §4.3 takes for too old.
      name: "A.3: another client learning a renewed server cookie",
      from: "203.0.113.203",
      at: 1559734700,
      secrets: [secret],
      query: "fc93fc62807ddb86 01abcdef5cf78f71a314227b6679ebf5",
      verdict: "bad",
      response: "fc93fc62807ddb86 010000005cf7a9acf73a7810aca2381e",
    },
    {
      name: "A.3, when it was made: reserved octets are hashed as received (§4.2) and go back so",
      from: "203.0.113.203",
      at: 1559727985,
      secrets: [secret],
      query: "fc93fc62807ddb86 01abcdef5cf78f71a314227b6679ebf5",
      verdict: "good",
      response: "fc93fc62807ddb86 01abcdef5cf78f71a314227b6679ebf5",
    },
    {
      name: "A.4: an IPv6 query with a rolled over secret",
      from: "2001:db8:220:1:59de:d0f4:8769:82b8",
      at: 1559741961,
      secrets: [newSecret, oldSecret],
      query: "22681ab97d52c298 010000005cf7c57926556bd0934c72f8",
      verdict: "renew",
      response: "22681ab97d52c298 010000005cf7c609a6bb79d16625507a",
    },
    {
      name: "A.4, with the old secret forgotten (§5, stage 3)",
      from: "2001:db8:220:1:59de:d0f4:8769:82b8",
      at: 1559741961,
      secrets: [newSecret],
      query: "22681ab97d52c298 010000005cf7c57926556bd0934c72f8",
      verdict: "bad",
      response: "22681ab97d52c298 010000005cf7c609a6bb79d16625507a",
    },
    {
      name: "A.4, with the new secret not current yet (§5, stage 1)",
      from: "2001:db8:220:1:59de:d0f4:8769:82b8",
      at: 1559741961,
      secrets: [oldSecret, newSecret],
      query: "22681ab97d52c298 010000005cf7c57926556bd0934c72f8",
      verdict: "good",
      response: "22681ab97d52c298 010000005cf7c57926556bd0934c72f8",
    },
  ];
  test.each(rows)("$name", ({ from, at, secrets, query, verdict, response }) => {
    expect(answerCookie(cookieOf(hex(query)), address(from), at, secrets)).toEqual({
      option: { code: 10, octets: hex(response) },
      verdict,
    });
  });

  const made: readonly { name: string; from: string; with: Uint8Array; option: string }[] = [
    { name: "A.1", from: "198.51.100.100", with: secret, option: rows[0]?.response ?? "" },
    { name: "A.2", from: "198.51.100.100", with: secret, option: rows[1]?.response ?? "" },
    { name: "A.3", from: "203.0.113.203", with: secret, option: rows[2]?.response ?? "" },
    { name: "A.4, old", from: rows[4]?.from ?? "", with: oldSecret, option: rows[4]?.query ?? "" },
    { name: "A.4, new", from: rows[4]?.from ?? "", with: newSecret, option: rows[4]?.response ?? "" },
  ];
  test.each(made)("$name: the server cookie by itself", ({ from, with: madeWith, option }) => {
    const expected = hex(option).slice(8);
    const timestamp = Buffer.from(expected).readUInt32BE(4);
    expect(serverCookie(hex(option).slice(0, 8), address(from), timestamp, madeWith)).toEqual(expected);
  });
});

describe("what a server cookie is judged by", () => {
  const rows: readonly { name: string; cookie: Cookie; verdict: CookieVerdict; secrets?: CookieSecrets }[] = [
    { name: "none is there (RFC 7873 §5.2.3)", cookie: { client, server: undefined }, verdict: "bad" },
    { name: "made now (RFC 7873 §5.2.5)", cookie: cookieOfParts(), verdict: "good" },
    {
      name: "8 octets, not made here (RFC 7873 §5.2.4)",
      cookie: { client, server: new Uint8Array(8) },
      verdict: "bad",
    },
    {
      name: "16 octets of zero (RFC 7873 §5.2.4)",
      cookie: { client, server: new Uint8Array(16) },
      verdict: "bad",
    },
    {
      name: "one octet behind the hash (RFC 9018 §4)",
      cookie: { client, server: octets(cookieOfParts().server ?? [], 0) },
      verdict: "bad",
    },
    {
      name: "the last octet of the hash missing (RFC 9018 §4)",
      cookie: { client, server: (cookieOfParts().server ?? octets()).slice(0, -1) },
      verdict: "bad",
    },
    {
      name: "version 0, hashed rightly (RFC 9018 §4.1)",
      cookie: cookieOfParts({ version: 0 }),
      verdict: "bad",
    },
    {
      name: "version 2, hashed rightly (RFC 9018 §4.1)",
      cookie: cookieOfParts({ version: 2 }),
      verdict: "bad",
    },
    {
      name: "reserved octets that are not zero (RFC 9018 §4.2)",
      cookie: cookieOfParts({ reserved: "ffffff" }),
      verdict: "good",
    },
    { name: "30 minutes old (RFC 9018 §4.3)", cookie: aged(30 * minute), verdict: "good" },
    { name: "30 minutes and a second old (RFC 9018 §4.3)", cookie: aged(30 * minute + 1), verdict: "renew" },
    { name: "an hour old (RFC 9018 §4.3)", cookie: aged(hour), verdict: "renew" },
    { name: "an hour and a second old (RFC 9018 §4.3)", cookie: aged(hour + 1), verdict: "bad" },
    { name: "a second in the future (RFC 9018 §4.3)", cookie: aged(-1), verdict: "good" },
    { name: "5 minutes in the future (RFC 9018 §4.3)", cookie: aged(-5 * minute), verdict: "good" },
    {
      name: "5 minutes and a second in the future (RFC 9018 §4.3)",
      cookie: aged(-5 * minute - 1),
      verdict: "bad",
    },
    { name: "2^31 seconds away, which RFC 1982 §3.2 leaves open", cookie: aged(2 ** 31), verdict: "bad" },
    { name: "2^31 - 1 seconds old", cookie: aged(2 ** 31 - 1), verdict: "bad" },
    { name: "2^31 - 1 seconds in the future", cookie: aged(1 - 2 ** 31), verdict: "bad" },
    {
      name: "made with the secret before (RFC 9018 §5, stage 2)",
      cookie: cookieOfParts({ made: oldSecret }),
      secrets: [secret, oldSecret],
      verdict: "renew",
    },
    {
      name: "made with the secret before the one before",
      cookie: cookieOfParts({ made: oldSecret }),
      secrets: [secret, newSecret, oldSecret],
      verdict: "renew",
    },
    {
      name: "made with the secret before, an hour and a second old",
      cookie: aged(hour + 1, oldSecret),
      secrets: [secret, oldSecret],
      verdict: "bad",
    },
    {
      name: "made with a secret that is forgotten (RFC 9018 §5, stage 3)",
      cookie: cookieOfParts({ made: oldSecret }),
      secrets: [secret, newSecret],
      verdict: "bad",
    },
  ];
  test.each(rows)("$name: $verdict", ({ cookie, verdict, secrets = [secret] }) => {
    expect(checkServerCookie(cookie, source, now, secrets)).toBe(verdict);
    // RFC 7873 §5.2.3 to §5.2.5: what goes back is as it came only where it is good, and always right.
    const answer = answerCookie(cookie, source, now, secrets);
    const fresh = serverCookie(client, source, now, secrets[0]);
    const server = verdict === "good" ? (cookie.server ?? fresh) : fresh;
    expect(answer).toEqual({ option: { code: 10, octets: octets(client, server) }, verdict });
  });

  function aged(seconds: number, made = secret): Cookie {
    return cookieOfParts({ timestamp: (now - seconds) >>> 0, made });
  }
});

describe("the timestamp where 32 bits end, in 2106 (RFC 9018 §4.3, RFC 1982)", () => {
  const end = 2 ** 32;
  const rows: readonly { name: string; made: number; at: number; verdict: CookieVerdict }[] = [
    { name: "made before, read after", made: end - 1, at: end + 1, verdict: "good" },
    { name: "made before, 30 minutes old", made: end - 1, at: end - 1 + 30 * minute, verdict: "good" },
    { name: "made before, over 30 minutes old", made: end - 1, at: end + 30 * minute, verdict: "renew" },
    { name: "made before, an hour old", made: end - minute, at: end - minute + hour, verdict: "renew" },
    { name: "made before, over an hour old", made: end - minute, at: end + hour, verdict: "bad" },
    { name: "made after, 5 minutes in the future", made: end + 299, at: end - 1, verdict: "good" },
    { name: "made after, over 5 minutes in the future", made: end + 300, at: end - 1, verdict: "bad" },
    {
      name: "made and read past the sign of 32 bits, in 2038",
      made: 2 ** 31 - 1,
      at: 2 ** 31,
      verdict: "good",
    },
    { name: "made and read after", made: end, at: end, verdict: "good" },
    {
      name: "all 2^32 seconds old, which 32 bits cannot tell from now",
      made: now,
      at: now + end,
      verdict: "good",
    },
  ];
  test.each(rows)("$name: $verdict", ({ made, at, verdict }) => {
    const server = serverCookie(client, source, made, secret);
    expect(server.slice(4, 8)).toEqual(octets(uint32(made % end)));
    expect(checkServerCookie({ client, server }, source, at, [secret])).toBe(verdict);
  });

  test("a part of a second is cut off", () => {
    expect(serverCookie(client, source, now + 0.999, secret)).toEqual(
      serverCookie(client, source, now, secret),
    );
    const server = serverCookie(client, source, now, secret);
    expect(checkServerCookie({ client, server }, source, now + hour + 0.999, [secret])).toBe("renew");
  });
});

describe("the client address (RFC 9018 §4.4)", () => {
  test("an IPv4-mapped one, as a dual-stack socket tells it, is the IPv4 address in it", () => {
    const mapped = address("::ffff:198.51.100.100");
    const server = serverCookie(client, source, now, secret);
    expect(serverCookie(client, mapped, now, secret)).toEqual(server);
    expect(checkServerCookie({ client, server }, mapped, now, [secret])).toBe("good");
  });

  test("an IPv6 one that ends in the same octets is another", () => {
    const server = serverCookie(client, source, now, secret);
    expect(checkServerCookie({ client, server }, address("::198.51.100.100"), now, [secret])).toBe("bad");
  });

  test("is hashed whole, 16 octets in IPv6", () => {
    const server = serverCookie(client, address("2001:db8::1"), now, secret);
    const head = octets(1, 0, 0, 0, uint32(now));
    const input = octets(client, head, hex("20010db8000000000000000000000001"));
    expect(server).toEqual(octets(head, sipHash24(secret, input)));
  });
});

describe("any cookie that was made", () => {
  const anyTime = fc.oneof(
    fc.nat(0xffffffff),
    fc.integer({ min: 2 ** 32 - 2 * hour, max: 2 ** 32 + 2 * hour }),
    fc.integer({ min: 2 ** 31 - 2 * hour, max: 2 ** 31 + 2 * hour }),
  );
  const anySecret = octetsOf(16);
  const flip = (list: Uint8Array, bit: number): Uint8Array =>
    list.map((octet, i) => (i === bit >> 3 ? octet ^ (0x80 >> (bit & 7)) : octet));

  test("is good when it comes back, and comes back as it is", () => {
    fc.assert(
      fc.property(octetsOf(8), anyAddress, anyTime, anySecret, (someClient, from, at, some) => {
        const first = answerCookie({ client: someClient, server: undefined }, from, at, [some]);
        expect(first.verdict).toBe("bad");
        const second = answerCookie(cookieOf(first.option.octets), from, at, [some]);
        expect(second).toEqual({ option: first.option, verdict: "good" });
      }),
    );
  });

  test("is judged by its age alone", () => {
    const age = fc.oneof(
      fc.integer({ min: -10 * minute, max: 2 * hour }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    fc.assert(
      fc.property(
        octetsOf(8),
        anyAddress,
        anyTime,
        anySecret,
        age,
        (someClient, from, made, some, seconds) => {
          fc.pre(made + seconds >= 0);
          const server = serverCookie(someClient, from, made, some);
          const inTime = seconds >= -300 && seconds <= 3600;
          const verdict = inTime ? (seconds <= 1800 ? "good" : "renew") : "bad";
          expect(checkServerCookie({ client: someClient, server }, from, made + seconds, [some])).toBe(
            verdict,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is bad from another address", () => {
    fc.assert(
      fc.property(
        octetsOf(8),
        anyAddress,
        anyAddress,
        anyTime,
        anySecret,
        (someClient, from, other, at, some) => {
          fc.pre(Buffer.compare(from.octets, other.octets) !== 0);
          const server = serverCookie(someClient, from, at, some);
          expect(checkServerCookie({ client: someClient, server }, other, at, [some])).toBe("bad");
        },
      ),
    );
  });

  test("is bad from an address of which one bit is another", () => {
    fc.assert(
      fc.property(
        octetsOf(8),
        anyAddress,
        fc.nat(127),
        anyTime,
        anySecret,
        (someClient, from, bit, at, some) => {
          const other = { ...from, octets: flip(from.octets, bit % (from.octets.length * 8)) };
          const server = serverCookie(someClient, from, at, some);
          expect(checkServerCookie({ client: someClient, server }, other, at, [some])).toBe("bad");
        },
      ),
    );
  });

  test("is bad under another secret, be it of one other bit", () => {
    fc.assert(
      fc.property(
        octetsOf(8),
        anyAddress,
        anyTime,
        anySecret,
        fc.nat(127),
        (someClient, from, at, some, bit) => {
          const server = serverCookie(someClient, from, at, some);
          const others: CookieSecrets = [flip(some, bit), flip(some, bit ^ 1)];
          expect(checkServerCookie({ client: someClient, server }, from, at, others)).toBe("bad");
        },
      ),
    );
  });

  // Client cookie, version, reserved octets, timestamp and hash, one after the other: 24 octets.
  test.each(Array.from({ length: 24 * 8 }, (_, bit) => bit))(
    "is bad with bit %i of the option flipped",
    (bit) => {
      fc.assert(
        fc.property(octetsOf(8), anyAddress, anyTime, anySecret, (someClient, from, at, some) => {
          const { option } = answerCookie({ client: someClient, server: undefined }, from, at, [some]);
          expect(checkServerCookie(cookieOf(flip(option.octets, bit)), from, at, [some])).toBe("bad");
        }),
        { numRuns: 10 },
      );
    },
  );

  test("leaves what it was made and judged from as it was", () => {
    fc.assert(
      fc.property(octetsOf(8), anyAddress, anyTime, anySecret, (someClient, from, at, some) => {
        const buffer = octets(0xaa, someClient, serverCookie(someClient, from, at, some), 0xbb);
        const [octetsBefore, fromBefore, secretBefore] = [buffer.slice(), from.octets.slice(), some.slice()];
        const { option } = answerCookie(cookieOf(buffer.subarray(1, -1)), from, at, [some]);
        expect(option.octets).toEqual(octetsBefore.slice(1, -1));
        option.octets.fill(0);
        expect([buffer, from.octets, some]).toEqual([octetsBefore, fromBefore, secretBefore]);
      }),
    );
  });
});

test("a secret that has not 16 octets is a mistake of the program", () => {
  expect(() => serverCookie(client, source, now, new Uint8Array(15))).toThrow(RangeError);
});

describe("the writer of the hot path says what answerCookie says", () => {
  const madeBy = fc.constantFrom("current", "previous", "stranger", "nobody");
  const anyAge = fc.integer({ min: -400, max: 3700 });
  const anySource = fc.oneof(
    anyAddress,
    fc.constant(address("::ffff:198.51.100.100")),
    fc.constant(address("2001:db8::1")),
  );

  test("for cookies of every make and age, from every address, also in the midst of a message", () => {
    const writer = new CookieWriter([secret, oldSecret]);
    const verdicts = new Set<CookieVerdict>();
    fc.assert(
      fc.property(octetsOf(8), madeBy, anyAge, anySource, fc.nat(7), (its, by, age, from, before) => {
        const made = { current: secret, previous: oldSecret, stranger: newSecret, nobody: secret }[by];
        const server = by === "nobody" ? new Uint8Array() : serverCookie(its, from, now - age, made);
        const option = octets(its, server);
        const expected = answerCookie(cookieOf(option), from, now, [secret, oldSecret]);
        const message = octets(new Uint8Array(before), option, 0xff);
        const peer = octets(new Uint8Array(before), from.octets, 0xff);
        const to = new Uint8Array(before + COOKIE_OCTETS + 1);
        const { family } = from;
        verdicts.add(writer.write(message, before, option.length, peer, before, family, now, to, before));
        expect(to).toEqual(octets(new Uint8Array(before), expected.option.octets, 0));
        expect(writer.write(message, before, option.length, peer, before, family, now, to, before)).toBe(
          expected.verdict,
        );
      }),
      { numRuns: 2000 },
    );
    expect([...verdicts].toSorted()).toEqual(["bad", "good", "renew"]);
  });

  test("for server cookies of other lengths and versions", () => {
    const writer = new CookieWriter([secret]);
    fc.assert(
      fc.property(
        octetsOf(8),
        fc.uint8Array({ minLength: 8, maxLength: 32 }),
        anySource,
        (its, server, from) => {
          const option = octets(its, server);
          const { option: expected, verdict } = answerCookie(cookieOf(option), from, now, [secret]);
          const to = new Uint8Array(COOKIE_OCTETS);
          expect(writer.write(option, 0, option.length, from.octets, 0, from.family, now, to, 0)).toBe(
            verdict,
          );
          expect(to).toEqual(expected.octets);
        },
      ),
    );
  });
});
