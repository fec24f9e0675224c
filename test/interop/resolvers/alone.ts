/**
 * Run as a program, in a network namespace of its own where every address is this machine: a resolver is told of a lab by
 * what `geodns365 resolver-config` prints, resolves every name that is served, and whom it asks beside the lab is written
 * down. Prints an `Outcome` as JSON.
 */

import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chainNames } from "../../../src/cloud/chain.ts";
import type { Configuration } from "../../../src/config/configuration.ts";
import { formatConfigError, loadConfig } from "../../../src/config/load.ts";
import { CLASS, formatType, TYPE } from "../../../src/dns/iana.ts";
import type { Message } from "../../../src/dns/message.ts";
import { domainName, isAtOrBelow, nameOctets, nameOf } from "../../../src/dns/name.ts";
import { renderQuery } from "../../../src/dns/render.ts";
import { formatAddress } from "../../../src/ip.ts";
import { pointedNames } from "../../../src/pointing.ts";
import { zonesOfRecords } from "../../../src/zone/zone.ts";
import { root, startGeodns365 } from "../programs.ts";
import { askAll } from "./bulk.ts";
import { startDaemon } from "./daemon.ts";
import { outcomeOf } from "./outcome.ts";
import * as daemons from "./resolvers.ts";
import { openSink } from "./sink.ts";

export const resolvers = {
  unbound: daemons.unbound,
  BIND: daemons.bind,
  "pdns-recursor": daemons.powerdns,
  "knot-resolver": daemons.knotResolver,
  dnsmasq: daemons.dnsmasq,
} as const;

export interface Task {
  readonly resolver: keyof typeof resolvers;
  readonly config: string;
  /** ADDRESS:PORT where geodns365 is asked */
  readonly server: string;
}

export interface Outcome {
  readonly questions: number;
  /** what the resolver answered otherwise than geodns365 */
  readonly faults: readonly string[];
  /** who else was asked for what: `NAME TYPE` */
  readonly strangers: readonly string[];
  /** all that is not DNS over UDP, by where it went */
  readonly astray: Readonly<Record<string, number>>;
  /** the same for a name that is not of the lab, which shows that the watch works */
  readonly strangersForOutside: readonly string[];
}

interface Asked {
  readonly name: string;
  readonly type: number;
}

/** In every zone so many names at the least are asked for, and all of what services and tenants are asked for. */
const NAMES_A_ZONE = 100;

/** Every name served, with the types that it has and those that clients ask for; and a name a zone that is not there. */
function questionsOf(configuration: Configuration): readonly Asked[] {
  const pointed = pointedNames(configuration);
  const typesOf = new Map<string, Set<number>>();
  const add = (name: string, types: Iterable<number>): void => {
    const known = typesOf.get(name) ?? new Set();
    for (const type of types) known.add(type);
    typesOf.set(name, known);
  };
  for (const cloud of configuration.clouds) {
    for (const service of cloud.services) {
      for (const { linkIndex, owner } of chainNames(service, cloud)) {
        if (linkIndex === 0 && owner !== undefined) add(domainName(owner), [TYPE.A, TYPE.AAAA, TYPE.MX]);
      }
    }
  }
  for (const { nodes } of zonesOfRecords(configuration.zones)) {
    const names = [...nodes].filter(([name]) => pointed.some((above) => isAtOrBelow(name, above)));
    const stride = Math.max(1, Math.floor(names.length / NAMES_A_ZONE));
    for (const [i, [name, { rrsets }]] of names.entries()) {
      const words = name.startsWith("*.") ? `any${name.slice(1)}` : name;
      if (i % stride === 0) add(words, [TYPE.A, TYPE.AAAA, ...rrsets.keys()]);
    }
  }
  for (const name of pointed) add(`no-such-name.${name}`, [TYPE.A]);
  return [...typesOf].flatMap(([name, types]) => [...types].map((type) => ({ name, type })));
}

const ask = (port: number, questions: readonly Asked[]): Promise<readonly Message[]> => {
  const queries = questions.map(({ name, type }) =>
    renderQuery(
      { qname: nameOctets(nameOf(name)), qtype: type, qclass: CLASS.IN },
      // With DO, so that one who validates looks for signatures.
      { id: 0, recursionDesired: true, edns: { udpPayloadSize: 1232, dnssecOk: true, subnet: undefined } },
    ),
  );
  return askAll(port, "udp", queries);
};

/**
 * Whom a resolver that leaves the lab asks, as far as they have IPv4: a server on port 53 of one address leaves no room for
 * one on port 53 of all. What goes to others is astray.
 */
function likelyStrangers({ settings: { nameservers } }: Configuration): readonly string[] {
  const hints = readFileSync("/usr/share/dns/root.hints", "utf8");
  return [
    ...[...hints.matchAll(/\sA\s+(\S+)$/gm)].map(([, address = ""]) => address),
    ...[...nameservers.ns1, ...nameservers.ns2].filter(({ length }) => length === 4).map(formatAddress),
  ];
}

/** Watches for packets that leave 127.0.0.0/8 and are not DNS over UDP; the end tells how many went where. */
async function watchWire(
  server: string,
  passed: readonly string[],
): Promise<() => Promise<Readonly<Record<string, number>>>> {
  const child = spawn("python3", [join(import.meta.dirname, "watch-wire.py"), server, ...passed], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin.end();
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the watch of the wire failed");
    return JSON.parse(String(value));
  };
}

async function play({ resolver, config, server: address }: Task): Promise<Outcome> {
  const loaded = loadConfig(config);
  if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
  const questions = questionsOf(loaded.configuration);
  const strangersOf53 = address.endsWith(":53") ? likelyStrangers(loaded.configuration) : undefined;
  const sink = await openSink(strangersOf53 ?? ["0.0.0.0", "::"]);
  const server = await startGeodns365(["--config", config, "--listen", address, "--state", "none"]);
  const print = (format: string): string =>
    execFileSync(
      process.execPath,
      [
        join(root, "src/cli/geodns365.js"),
        "resolver-config",
        format,
        "--server",
        address,
        "--config",
        config,
      ],
      { encoding: "utf8" },
    );
  const endWatch = await watchWire(address.replace(/:\d+$/, ""), strangersOf53 ?? []);
  const front = await startDaemon(resolvers[resolver]({ told: print, else: { kind: "root" } }));
  try {
    const expected = await ask(server.port, questions);
    const faults: string[] = [];
    // The second time out of its cache, as far as it keeps them.
    for (const round of ["at first", "again"]) {
      const replies = await ask(front.port, questions);
      for (const [i, { name, type }] of questions.entries()) {
        const [is, should] = [replies[i], expected[i]];
        if (is === undefined || should === undefined)
          throw new Error("there are fewer replies than questions");
        if (outcomeOf(is) === outcomeOf(should)) continue;
        faults.push(`${name} ${formatType(type)} ${round}: ${outcomeOf(is)}, and not ${outcomeOf(should)}`);
      }
    }
    const astray = await endWatch();
    const strangers = [...sink.asked];
    const next = sink.next();
    const answered = ask(front.port, [{ name: "www.example.org.", type: TYPE.A }]);
    await Promise.race([next, answered]);
    answered.catch(() => undefined); // Whether it gives up soon is its own affair.
    return {
      questions: questions.length,
      faults,
      strangers,
      astray,
      strangersForOutside: sink.asked.slice(strangers.length),
    };
  } finally {
    await front.stop();
    await server.stop();
    sink.close();
  }
}

const [, script = "", task] = process.argv;
if (import.meta.url === pathToFileURL(script).href && task !== undefined) {
  console.log(JSON.stringify(await play(JSON.parse(task))));
}
