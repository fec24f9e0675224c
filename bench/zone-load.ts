/** `npm run bench:zone`: how long servers take from their start to the first answer out of one large master file. */

import { once } from "node:events";
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CLASS, TYPE } from "../src/dns/iana.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { ask } from "./lab.ts";
import { type Command, freePort, printedBy, start } from "./process.ts";
import { describeMachine } from "./report.ts";

const HELP = `usage: npm run bench:zone -- [--records N] [--rounds N]
  --records N  in the master file (1000000)
  --rounds N   each server is started once in each (5)`;

interface Loader {
  readonly name: string;
  readonly program: string;
  readonly versionFlag: string;
  readonly args: readonly string[];
  configure(folder: string, file: string, port: number): Readonly<Record<string, string>>;
}

const APEX = "large.example";
const root = join(import.meta.dirname, "..");

const loaders: readonly Loader[] = [
  {
    name: "geodns365",
    program: process.execPath,
    versionFlag: "--version",
    args: [join(root, "src/cli/geodns365.js"), "serve", "--admin", "off", "--config", "lab.yaml"],
    configure: (_folder, file, port) => ({
      "lab.yaml": `server: { listen: ["127.0.0.1:${port}"] }\ngeoip: { database: none }\nlog: { queries: off }\nzones: [{ zone: ${APEX}, file: ${file} }]\n`,
    }),
  },
  {
    name: "NSD",
    program: "nsd",
    versionFlag: "-v",
    args: ["-d", "-c", "nsd.conf"],
    configure: (folder, file, port) => ({
      "nsd.conf": `server:\n  ip-address: 127.0.0.1@${port}\n  server-count: 1\n  username: ""\n  chroot: ""\n  database: ""\n  zonesdir: "${folder}"\n  pidfile: ""\n  xfrdfile: "${folder}/xfrd.state"\n  xfrdir: "${folder}"\n  zonelistfile: "${folder}/zone.list"\nremote-control:\n  control-enable: no\nzone:\n  name: ${APEX}\n  zonefile: ${file}\n`,
    }),
  },
  {
    name: "Knot",
    program: "knotd",
    versionFlag: "--version",
    args: ["--config", "knot.conf"],
    configure: (folder, file, port) => ({
      "knot.conf": `server:\n  rundir: ${folder}\n  listen: 127.0.0.1@${port}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: ${folder}\nzone:\n  - domain: ${APEX}\n    file: ${file}\n    zonefile-sync: -1\n    journal-content: none\n`,
    }),
  },
  {
    name: "BIND",
    program: "named",
    versionFlag: "-v",
    args: ["-f", "-n", "1", "-c", "named.conf"],
    configure: (folder, file, port) => ({
      "named.conf": `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; recursion no; notify no; session-keyfile "${folder}/session.key"; };\ncontrols { };\nzone "${APEX}" { type primary; file "${file}"; };\n`,
    }),
  },
];

/** A third of the names with an A, an AAAA and a TXT, a third with an MX, a third with a CNAME. */
async function writeZone(path: string, records: number): Promise<void> {
  const file = createWriteStream(path);
  file.write(
    `$ORIGIN ${APEX}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.53\n`,
  );
  for (let i = 0; i < Math.ceil((records - 3) / 5); i++) {
    const text = `host${i} A 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}\n 60 AAAA 2001:db8::${i.toString(16).slice(-4)}:1\n TXT "host number ${i}"\nmail${i} MX 10 host${i}\nalias${i} CNAME host${i}\n`;
    if (!file.write(text)) await once(file, "drain");
  }
  file.end();
  await finished(file);
}

interface Sample {
  readonly seconds: number;
  readonly megabytes: number;
}

async function measure(loader: Loader, folder: string, zone: string): Promise<Sample> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const port = await freePort();
  for (const [name, content] of Object.entries(loader.configure(folder, zone, port))) {
    writeFileSync(join(folder, name), content);
  }
  // Each file that an argument names is one of those just written.
  const args = loader.args.map((arg) => (/\.(?:yaml|conf)$/.test(arg) ? join(folder, arg) : arg));
  const command: Command = { program: loader.program, args };
  const query = renderQuery(
    { qname: nameOctets(nameOf(`host7.${APEX}`)), qtype: TYPE.A, qclass: CLASS.IN },
    { id: 1, recursionDesired: false, edns: undefined },
  );
  const startedAt = performance.now();
  const running = start(command, join(folder, "output"));
  try {
    for (;;) {
      const response = await ask(port, query, 200).catch(() => undefined);
      // A server that is still loading refuses or fails.
      if (response !== undefined && (response[7] ?? 0) > 0) break;
      if (running.ended() !== undefined || performance.now() - startedAt > 60_000) {
        throw new Error(
          `${loader.name} does not answer\n${readFileSync(join(folder, "output"), "utf8").slice(-500)}`,
        );
      }
      await delay(5);
    }
    return { seconds: (performance.now() - startedAt) / 1000, megabytes: proportionalBytes(folder) / 1e6 };
  } finally {
    await running.stop();
  }
}

/** The share of memory of all processes that were started with this folder among their arguments (PSS, proc(5)). */
function proportionalBytes(folder: string): number {
  let kilobytes = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) continue;
      const [, pss] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")) ?? [];
      kilobytes += Number(pss ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kilobytes * 1024;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { records: { type: "string" }, rounds: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const records = Number(values.records ?? 1_000_000);
  const rounds = Number(values.rounds ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "geodns365-zone-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const zone = join(folder, "large.zone");
  await writeZone(zone, records);
  const found: Loader[] = [];
  for (const loader of loaders) {
    if ((await printedBy(loader.program, loader.versionFlag)) === undefined)
      console.log(`${loader.name}: not installed`);
    else found.push(loader);
  }
  const { cpu, loadAverage } = describeMachine();
  console.log(
    `${cpu}, load ${loadAverage}; one core a server; ${records} records, ${rounds} rounds, medians\n`,
  );
  const samples = new Map(found.map((loader) => [loader, [] as Sample[]]));
  for (let round = 0; round < rounds; round++) {
    for (const loader of found)
      samples.get(loader)?.push(await measure(loader, join(folder, "server"), zone));
  }
  console.log("| server | s to the first answer, min-max | MB |\n|---|---|---|");
  for (const [{ name }, own] of samples) {
    const seconds = own.map((sample) => sample.seconds);
    const megabytes = median(own.map((sample) => sample.megabytes)).toFixed(0);
    const spread = `${Math.min(...seconds).toFixed(2)}-${Math.max(...seconds).toFixed(2)}`;
    console.log(`| ${name} | ${median(seconds).toFixed(2)}, ${spread} | ${megabytes} |`);
  }
  return 0;
}

process.exitCode = await main();
