/** The same master files in NSD and here: thousands of questions, and only the differences that are explained. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASS, formatRcode, parseType, TYPE } from "../../src/dns/iana.ts";
import { formatRecord, type Message, type ResourceRecord } from "../../src/dns/message.ts";
import { parseName } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { type Started, startGeodns365 } from "./programs.ts";
import { askAll } from "./resolvers/bulk.ts";
import { type Daemon, startDaemon } from "./resolvers/daemon.ts";
import { masterFiles, masterFilesConfig, ownerOf, staticZones, written } from "./resolvers/static-zones.ts";

const nsd: Daemon = {
  program: "/usr/sbin/nsd",
  package: "nsd",
  firstQuestion: "static.example.",
  args: ({ folder }) => ["-d", "-c", join(folder, "nsd.conf")],
  files: ({ folder, port }) => ({
    "nsd.conf": `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: ""
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  rrl-ratelimit: 0
  minimal-responses: yes
  refuse-any: no
  ipv4-edns-size: 1232
  tcp-query-count: 0
remote-control:
  control-enable: no
${staticZones.map(({ apex }) => `zone:\n  name: "${apex}"\n  zonefile: "${apex}zone"`).join("\n")}
`,
    ...masterFiles,
  }),
};

const folder = mkdtempSync(join(tmpdir(), "geodns365-nsd-"));
let peer: Started;
let server: Started;

beforeAll(async () => {
  const config = join(folder, "config.yaml");
  for (const [name, text] of Object.entries({ ...masterFiles, "config.yaml": masterFilesConfig })) {
    writeFileSync(join(folder, name), text);
  }
  server = await startGeodns365(["--config", config]);
  peer = await startDaemon(nsd);
});

afterAll(async () => {
  await Promise.all([peer?.stop(), server?.stop()]);
  rmSync(folder, { recursive: true });
});

const types = "A AAAA CNAME NS SOA MX TXT SRV DS DNAME ANY CAA TYPE65280".split(" ");

interface Way {
  readonly transport: "udp" | "tcp";
  readonly size: number | undefined;
  readonly dnssecOk: boolean;
}

const ways: readonly Way[] = [
  { transport: "udp", size: undefined, dnssecOk: false },
  { transport: "udp", size: 512, dnssecOk: false },
  { transport: "udp", size: 512, dnssecOk: true },
  { transport: "udp", size: 1232, dnssecOk: false },
  { transport: "udp", size: 1232, dnssecOk: true },
  { transport: "tcp", size: undefined, dnssecOk: false },
  { transport: "tcp", size: 1232, dnssecOk: false },
  { transport: "tcp", size: 1232, dnssecOk: true },
];

const formatWay = ({ transport, size, dnssecOk }: Way): string =>
  `${transport} ${size === undefined ? "without EDNS" : `EDNS ${size}${dnssecOk ? " DO" : ""}`}`;

/** The zones with all that their files hold. */
const zones = staticZones.map((zone, i) =>
  i === 0 ? { ...zone, records: [...zone.records, ...written.flatMap(({ records }) => records)] } : zone,
);

const fullName = (owner: string, apex: string): string => (owner === "@" ? apex : `${owner}.${apex}`);

/** Every owner, every name above it, and names below and beside it that may not exist. */
function namesToAsk(): readonly string[] {
  const names = new Set<string>();
  const add = (name: string): void => {
    if (typeof parseName(name) !== "string") names.add(name);
  };
  for (const { apex, records } of zones) {
    for (const owner of new Set(records.map(ownerOf))) {
      const full = fullName(owner, apex);
      for (const label of ["", "below.", "*.", "www.", "a.b."]) add(`${label}${full}`);
      add(full.replace(/^((?:\\.|[^.\\])+)\./, "$1-beside."));
      add(full.replace(/^((?:\\.|[^.\\])+)\./, ""));
      add(full.toUpperCase());
    }
  }
  for (const name of [".", "example.", "www.example.org.", "notstatic.example."]) add(name);
  return [...names];
}

/** Every RRset whose type is not among those asked of each name. */
const rrsetsToAsk = (): readonly Question[] =>
  zones.flatMap(({ apex, records }) => {
    const rrsets = new Set(records.map((line) => line.split(" ", 3).toSpliced(1, 1).join(" ")));
    return [...rrsets].flatMap((rrset) => {
      const [owner = "", type = ""] = rrset.split(" ");
      return types.includes(type) ? [] : [{ name: fullName(owner, apex), type }];
    });
  });

interface Question {
  readonly name: string;
  readonly type: string;
}

interface Asked {
  readonly name: string;
  readonly type: string;
  readonly way: Way;
  readonly ours: Message;
  readonly theirs: Message;
}

/** Asks both the same questions in the same way. */
async function askBoth(questions: readonly Question[], way: Way): Promise<readonly Asked[]> {
  const queries = questions.map(({ name, type }, i) => {
    const qname = parseName(name);
    if (typeof qname === "string") throw new Error(qname);
    const edns =
      way.size === undefined
        ? undefined
        : { udpPayloadSize: way.size, dnssecOk: way.dnssecOk, subnet: undefined };
    const question = { qname, qtype: parseType(type) ?? 0, qclass: CLASS.IN };
    return renderQuery(question, { id: 0, recursionDesired: i % 2 === 1, edns });
  });
  const [ours, theirs] = await Promise.all([
    askAll(server.port, way.transport, queries),
    askAll(peer.port, way.transport, queries),
  ]);
  return questions.flatMap((question, i) => {
    const [one, other] = [ours[i], theirs[i]];
    return one === undefined || other === undefined ? [] : [{ ...question, way, ours: one, theirs: other }];
  });
}

const sections = ["answer", "authority", "additional"] as const;

/** A section as a set of records. */
const sectionText = (message: Message, section: (typeof sections)[number]): string =>
  [...new Set(message[section].map(formatRecord))].sort().join("\n");

/** What differs, named by the fields of the message. */
function differingFields({ ours, theirs }: Asked): readonly string[] {
  const fields: string[] = [];
  if (ours.rcode !== theirs.rcode) fields.push("rcode");
  for (const flag of ["authoritative", "truncated", "recursionAvailable", "recursionDesired"] as const) {
    if (ours[flag] !== theirs[flag]) fields.push(flag);
  }
  for (const section of sections) {
    if (sectionText(ours, section) !== sectionText(theirs, section)) fields.push(section);
  }
  if ((ours.edns === undefined) !== (theirs.edns === undefined)) fields.push("OPT");
  if (ours.edns?.dnssecOk !== theirs.edns?.dnssecOk) fields.push("DO");
  return fields;
}

/** A kind of difference that is no fault of either, told from all others by what differs. */
interface Kind {
  readonly words: string;
  readonly fits: (asked: Asked, fields: readonly string[]) => boolean;
}

/** The CNAMEs that a chain is followed through here. */
const MAX_CHAIN = 16;

const aliasesIn = ({ answer }: Message): readonly ResourceRecord[] =>
  answer.filter(({ type }) => type === TYPE.CNAME);

/** All sections with names, and all else, in lower case. */
const folded = (message: Message): string =>
  JSON.stringify(
    sections.map((section) => message[section].map((record) => formatRecord(record).toLowerCase()).sort()),
  );

/** Whether the answer of one is a part of the other's. */
function isPartOf(one: Message, other: Message): boolean {
  const records = new Set(other.answer.map(formatRecord));
  return one.answer.every((record) => records.has(formatRecord(record)));
}

const only = (fields: readonly string[], ...allowed: readonly string[]): boolean =>
  fields.every((field) => allowed.includes(field));

const explained: readonly Kind[] = [
  {
    words: "NSD holds names in lower case; here they come as they are written (RFC 4343 §4.1 leaves both)",
    fits: ({ ours, theirs }, fields) => only(fields, ...sections) && folded(ours) === folded(theirs),
  },
  {
    words: `a chain of more than ${MAX_CHAIN} aliases is cut here, and NSD goes on; a resolver asks for the rest`,
    fits: ({ ours, theirs }, fields) =>
      only(fields, "answer", "authority", "truncated") &&
      aliasesIn(ours).length === MAX_CHAIN &&
      (aliasesIn(theirs).length >= MAX_CHAIN || theirs.truncated) &&
      !ours.truncated &&
      (theirs.truncated || isPartOf(ours, theirs)),
  },
  {
    words:
      "NSD uses a DNAME that leads below itself once; here it is followed as far as a chain of aliases is",
    fits: ({ name, ours, theirs }, fields) =>
      /\.dn4\.static\.example\.$/i.test(name) &&
      only(fields, "answer", "truncated") &&
      aliasesIn(theirs).length === 1 &&
      isPartOf(theirs, ours),
  },
  {
    words: "the alias that a DNAME makes matches ANY (RFC 1034 §3.6.2), and NSD follows it all the same",
    fits: ({ type, ours, theirs }, fields) =>
      type === "ANY" &&
      only(fields, "rcode", ...sections, "truncated") &&
      ours.answer[0]?.type === TYPE.DNAME &&
      aliasesIn(ours).length === 1 &&
      isPartOf(ours, theirs),
  },
  {
    words: "of several RRsets ANY gets one (RFC 8482 §4.1), and NSD chooses another",
    fits: ({ type, ours, theirs }, fields) =>
      type === "ANY" &&
      only(fields, "answer") &&
      [ours, theirs].every(({ answer }) => new Set(answer.map((record) => record.type)).size === 1),
  },
];

const formatMessage = (message: Message): string =>
  [
    `${formatRcode(message.rcode)}${message.authoritative ? " AA" : ""}${message.truncated ? " TC" : ""}`,
    ...sections.flatMap((section) =>
      message[section].map((record) => `  ${section}: ${formatRecord(record).slice(0, 160)}`),
    ),
  ].join("\n");

const formatAsked = ({ name, type, way, ours, theirs }: Asked): string =>
  `${name} ${type} over ${formatWay(way)}\nhere ${formatMessage(ours)}\nNSD ${formatMessage(theirs)}`;

describe("the same zones in NSD", () => {
  const questions = [
    ...namesToAsk().flatMap((name) => types.map((type) => ({ name, type }))),
    ...rrsetsToAsk(),
  ];
  const seen = new Map<Kind, number>();

  it.each(ways.map((way, i) => ({ words: formatWay(way), way, i })))(
    "answers alike over $words",
    async ({ way, i }) => {
      // Everything in one way; in the others what is large, and of the rest a part that reaches every name.
      const isWhole = way.transport === "tcp" && way.size !== undefined && !way.dnssecOk;
      const chosen = questions.filter(
        ({ name }, at) => isWhole || at % 6 === i % 6 || /^(?:to-)?(?:big|medium|many|strings)/.test(name),
      );
      const unexplained: string[] = [];
      for (const asked of await askBoth(chosen, way)) {
        const fields = differingFields(asked);
        if (fields.length === 0) continue;
        const kind = explained.find(({ fits }) => fits(asked, fields));
        if (kind === undefined) unexplained.push(`${fields.join(", ")}: ${formatAsked(asked)}`);
        else seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
      expect(unexplained.slice(0, 20), `${unexplained.length} of ${chosen.length}`).toEqual([]);
    },
  );

  it("has no explanation that nothing needs", () => {
    expect(explained.filter((kind) => !seen.has(kind)).map(({ words }) => words)).toEqual([]);
  });

  it("holds what the files say: records of every type that is asked of its owner alone", async () => {
    const asked = await askBoth(rrsetsToAsk(), { transport: "tcp", size: 1232, dnssecOk: false });
    expect(asked.length).toBeGreaterThan(40);
    const without = asked.filter(({ type, ours, theirs }) =>
      [ours, theirs].some(({ answer }) => answer.every((record) => record.type !== parseType(type))),
    );
    expect(without.map(formatAsked)).toEqual([]);
  });

  it("says no record twice", async () => {
    const asked = await askBoth(
      questions.filter(({ type }) => type === "A" || type === "MX"),
      { transport: "tcp", size: 1232, dnssecOk: false },
    );
    const doubled = asked.filter(({ ours }) =>
      sections.some((section) => new Set(ours[section].map(formatRecord)).size < ours[section].length),
    );
    expect(doubled.map(formatAsked)).toEqual([]);
  });
});
