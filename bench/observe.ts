/** `npm run bench:observe`: what counting and entering a query in the journal costs, beside the answer itself. */

import { join } from "node:path";
import { answer } from "../src/answer.ts";
import { loadConfig } from "../src/config/load.ts";
import { CLASS, TYPE } from "../src/dns/iana.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { renderQuery } from "../src/dns/render.ts";
import { parseAddress, parsePrefix } from "../src/ip.ts";
import { Observer } from "../src/observer.ts";
import { buildSnapshot } from "../src/snapshot.ts";
import type { Source } from "../src/trace.ts";
import { describeMachine } from "./report.ts";

const QUERIES = 1000;
const ROUNDS = 100;

const loaded = loadConfig(join(import.meta.dirname, "../config/geodns365.yaml"));
if (loaded.kind === "errors") throw new Error("the default lab has errors");
const snapshot = buildSnapshot(loaded.configuration, undefined);
const address = parseAddress("127.0.0.1");
if (address === undefined) throw new Error("no address");
const source: Source = { address, port: 5353, transport: "udp" };

const names = [
  "outlook.office365.com",
  "contoso.sharepoint.com",
  "portal.office.com",
  "nosuch.office365.com",
];
const messages = Array.from({ length: QUERIES }, (_, i) => {
  const qname = nameOctets(nameOf(names[i % names.length] ?? ""));
  const subnet = parsePrefix(`10.${(i % 9) + 1}.${i % 256}.0/24`);
  if (typeof subnet === "string") throw new Error(subnet);
  const edns = { udpPayloadSize: 1232, dnssecOk: false, subnet };
  return renderQuery({ qname, qtype: TYPE.A, qclass: CLASS.IN }, { id: i, recursionDesired: false, edns });
});
const answered = messages.map((message) => {
  const made = answer(snapshot, message, source, 0);
  if (made.kind === "deferred") throw new Error("a handler answers");
  return made;
});

/** Nanoseconds of CPU a query: the best of several runs, since others use the machine too. */
function measure(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run++) {
    const start = process.cpuUsage();
    for (let round = 0; round < ROUNDS; round++) work();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, ((user + system) * 1000) / (QUERIES * ROUNDS));
  }
  return best;
}

const answering = (): void => {
  for (const message of messages) answer(snapshot, message, source, 0);
};

const observing = (observer: Observer) => (): void => {
  for (const { trace, octets } of answered) {
    observer.observe(trace, { octets, microseconds: 20, nowMilliseconds: 0, snapshot });
  }
};

const listened = new Observer({ capacity: 10_000 });
listened.journal.subscribe(() => {});
const rows: readonly (readonly [string, () => void])[] = [
  ["the answer itself", answering],
  ["counted", observing(new Observer({ capacity: 0 }))],
  ["counted and in the journal", observing(new Observer({ capacity: 10_000 }))],
  ["the same with a listener", observing(listened)],
];
console.log(describeMachine());
for (const [name, work] of rows) {
  const nanoseconds = measure(work);
  const perSecond = Math.round(1e9 / nanoseconds).toLocaleString("en");
  console.log(`${name.padEnd(28)} ${nanoseconds.toFixed(0).padStart(6)} ns a query, ${perSecond} a second`);
}
