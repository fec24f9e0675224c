/** A domain as a server has it, held against the set of records that it is to have. */

import { type DomainRecord, dkimTargets, type RecordUse, saysDmarcPolicy } from "../cloud/custom-domain.ts";
import { formatType, TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { type DomainName, domainName, nameOf } from "../dns/name.ts";
import { foldRdata, formatRdata } from "../dns/rdata.ts";
import type { DomainSet } from "./domain-set.ts";
import { type Ask, type Found, find } from "./lookup.ts";
import { faultsOfSpf, isSpf } from "./spf.ts";
import { textOf } from "./text.ts";

/** `absent` and `unknown` are no faults: what may be missing, and what this server is not there to tell. */
export type Status = "right" | "missing" | "wrong" | "harmful" | "absent" | "unknown";

/** What was found of one record of the set, or beside it. */
export interface Finding {
  readonly status: Status;
  readonly use: RecordUse | "wildcard" | "apex" | "harmful-name";
  readonly name: DomainName;
  readonly type: string;
  /** the RDATA that is right; undefined where nothing is */
  readonly expected: string | undefined;
  readonly found: readonly string[];
  readonly why: string | undefined;
}

export const isFault = ({ status }: Finding): boolean =>
  status === "missing" || status === "wrong" || status === "harmful";

/** A label that nobody has, so that only a wildcard answers for it. */
const NOBODY = "geodns365-verify-nobody";

export async function verifyDomain(set: DomainSet, ask: Ask): Promise<readonly Finding[]> {
  const { domain, records, rules } = set;
  const apex = nameOf(domain);
  const wildcard = await findWildcard(apex, ask);
  const findings: Finding[] = [...(await atApex(apex, ask))];
  const told = new Set<string>();
  for (const record of records) {
    const { use, rrset } = record;
    const key = `${use} ${rrset.type} ${rrset.name} ${formatOf(rrset)}`;
    if (told.has(key)) continue;
    told.add(key);
    findings.push(...(await verifyRecord(record, set, ask)));
  }
  for (const { target, selector } of dkimTargets(records)) {
    const owner = records.find(({ use, rrset }) => use === "dkim" && rrset.rdatas[0] === target)?.rrset.name;
    if (owner !== undefined) findings.push(...(await verifyKey(owner, selector, ask)));
  }
  for (const [label, why] of rules.harmful) {
    findings.push(...(await refuseName(nameOf(`${label}.${domain}`), why, ask)));
  }
  return wildcard === undefined ? findings : [...findings, ...hiddenBy(wildcard, apex, findings)];
}

const formatOf = ({ type, rdatas: [rdata] }: RRset): string =>
  rdata === undefined ? "" : formatRdata(type, rdata);

const isSame = (type: number, a: Uint8Array, b: Uint8Array): boolean =>
  Buffer.compare(foldRdata(type, a), foldRdata(type, b)) === 0;

/** RFC 2181 §10.1: beside a CNAME nothing else stands, so the domain has neither mail nor proofs of its own. */
async function atApex(apex: DomainName, ask: Ask): Promise<readonly Finding[]> {
  const response = await ask(apex, TYPE.CNAME);
  if (typeof response === "string") return [];
  const found = response.answer
    .filter(({ owner, type }) => type === TYPE.CNAME && domainName(owner) === apex)
    .map(({ rdata }) => formatRdata(TYPE.CNAME, rdata));
  if (found.length === 0) return [];
  const why =
    "a CNAME at the domain itself hides every other record there, MX and TXT included (RFC 2181 §10.1)";
  return [{ status: "harmful", use: "apex", name: apex, type: "CNAME", expected: undefined, found, why }];
}

async function verifyRecord(record: DomainRecord, set: DomainSet, ask: Ask): Promise<readonly Finding[]> {
  const { use, rrset } = record;
  switch (use) {
    case "mx":
      return verifyMx(record, set, ask);
    case "spf":
    case "verification":
    case "dmarc":
      return verifyText(record, set, ask);
    default:
      return rrset.type === TYPE.CNAME ? verifyAlias(record, set, ask) : verifyService(record, ask);
  }
}

type Verdict = Pick<Finding, "status" | "found" | "why">;

const findingOf = ({ use, rrset }: DomainRecord, { status, found, why }: Verdict): Finding => ({
  status,
  use,
  name: rrset.name,
  type: formatType(rrset.type),
  expected: formatOf(rrset),
  found,
  why,
});

/** What a question without records comes to. */
function withoutRecords(record: DomainRecord, found: Exclude<Found, { readonly kind: "records" }>): Finding {
  return found.kind === "none"
    ? findingOf(record, { status: "missing", found: [], why: undefined })
    : findingOf(record, { status: "wrong", found: [], why: `the server does not say: ${found.why}` });
}

/** The CNAMEs right at a name, and whatever is there instead. */
async function verifyAlias(record: DomainRecord, set: DomainSet, ask: Ask): Promise<readonly Finding[]> {
  const { use, rrset, older } = record;
  const response = await ask(rrset.name, TYPE.CNAME);
  if (typeof response === "string")
    return [findingOf(record, { status: "wrong", found: [], why: `the server does not say: ${response}` })];
  const here = response.answer.filter(
    ({ owner, type }) => type === TYPE.CNAME && domainName(owner) === rrset.name,
  );
  const found = here.map(({ rdata }) => formatRdata(TYPE.CNAME, rdata));
  const rights = [rrset, ...older, ...otherFormsOf(use, rrset, set)].flatMap(({ rdatas }) => rdatas);
  if (here.some(({ rdata }) => rights.some((right) => isLike(TYPE.CNAME, right, rdata))))
    return [findingOf(record, { status: "right", found, why: undefined })];
  if (found.length > 0) return [findingOf(record, { status: "wrong", found, why: "it leads elsewhere" })];
  const address = await find(ask, rrset.name, TYPE.A);
  if (address.kind !== "records") return [withoutRecords(record, address)];
  const addresses = address.rdatas.map((rdata) => formatRdata(TYPE.A, rdata));
  return [findingOf(record, { status: "wrong", found: addresses, why: "addresses where a CNAME is to be" })];
}

/** The records of the other form in the place of one. */
const otherFormsOf = (of: RecordUse, { name, type }: RRset, { otherForms }: DomainSet): readonly RRset[] =>
  otherForms.flatMap(({ use, rrset }) =>
    use === of && rrset.name === name && rrset.type === type ? rrset : [],
  );

/** Whether two records are the same but for the letter that Microsoft picks: `contoso-com.a-v1.mx.microsoft`. */
function isLike(type: number, right: Uint8Array, found: Uint8Array): boolean {
  if (isSame(type, right, found)) return true;
  const withoutLetter = (rdata: Uint8Array): string =>
    formatRdata(type, rdata)
      .toLowerCase()
      .replace(/\.[a-z]-v1\./, ".?-v1.");
  const text = withoutLetter(right);
  return text.includes(".?-v1.") && text === withoutLetter(found);
}

async function verifyMx(record: DomainRecord, set: DomainSet, ask: Ask): Promise<readonly Finding[]> {
  const { rrset } = record;
  const found = await find(ask, rrset.name, TYPE.MX);
  if (found.kind !== "records") return [withoutRecords(record, found)];
  const all = found.rdatas.map((rdata) => formatRdata(TYPE.MX, rdata));
  // The preference is the administrator's, as long as it is the lowest.
  const hostOf = (rdata: Uint8Array): Uint8Array => rdata.subarray(2);
  const preferenceOf = (rdata: Uint8Array): number => Buffer.from(rdata).readUInt16BE(0);
  const rights = [rrset, ...otherFormsOf("mx", rrset, set)].flatMap(({ rdatas }) => rdatas.map(hostOf));
  const isOurs = (rdata: Uint8Array): boolean =>
    rights.some((right) => isLike(TYPE.CNAME, right, hostOf(rdata)));
  const ours = found.rdatas.filter(isOurs);
  if (ours.length === 0)
    return [findingOf(record, { status: "wrong", found: all, why: "mail goes elsewhere alone" })];
  const best = Math.min(...ours.map(preferenceOf));
  const before = found.rdatas.filter((rdata) => !isOurs(rdata) && preferenceOf(rdata) <= best);
  const isThere = await Promise.all(ours.map((rdata) => hasAddress(domainName(hostOf(rdata)), ask)));
  const finding = findingOf(record, {
    status: isThere.includes(true) ? "right" : "wrong",
    found: ours.map((rdata) => formatRdata(TYPE.MX, rdata)),
    why: isThere.includes(true)
      ? undefined
      : "the host has no address; Microsoft may have given the domain another one (--domain-key)",
  });
  if (before.length === 0) return [finding];
  const others = before.map((rdata) => formatRdata(TYPE.MX, rdata));
  const why = "mail goes there first, or as often: no other host may have a preference as low";
  return [finding, { ...finding, status: "harmful", found: others, why }];
}

/** Whether a host has an address, as far as the server tells; one that does not answer for it says nothing. */
async function hasAddress(host: DomainName, ask: Ask): Promise<boolean> {
  const found = await Promise.all([TYPE.A, TYPE.AAAA].map((type) => find(ask, host, type)));
  return found.some(({ kind }) => kind !== "none");
}

/** The TXT records of one use at a name, of which there is one. */
async function verifyText(record: DomainRecord, set: DomainSet, ask: Ask): Promise<readonly Finding[]> {
  const { use, rrset } = record;
  const found = await find(ask, rrset.name, TYPE.TXT);
  if (found.kind === "unanswered") return [withoutRecords(record, found)];
  const [expected = new Uint8Array()] = rrset.rdatas;
  const texts = found.kind === "records" ? found.rdatas.filter((rdata) => isOfUse(use, textOf(rdata))) : [];
  const shown = texts.map((rdata) => formatRdata(TYPE.TXT, rdata));
  const [first] = texts;
  if (use === "verification") {
    const isExact = set.choices.verification !== undefined;
    if (texts.some((rdata) => !isExact || textOf(rdata) === textOf(expected)))
      return [findingOf(record, { status: "right", found: shown, why: undefined })];
    if (shown.length > 0)
      return [findingOf(record, { status: "wrong", found: shown, why: "the text is another one" })];
    const why = "needed until the domain is verified";
    return [findingOf(record, { status: "absent", found: [], why })];
  }
  if (first === undefined) return [findingOf(record, { status: "missing", found: [], why: undefined })];
  if (texts.length > 1) {
    const rule = use === "spf" ? "RFC 7208 §4.5" : "RFC 7489 §6.6.3";
    const why = `there is more than one, so none counts (${rule})`;
    return [findingOf(record, { status: "harmful", found: shown, why })];
  }
  const faults =
    use === "spf"
      ? await faultsOfSpf(textOf(first), includeOf(textOf(expected)), ask)
      : faultsOfDmarc(textOf(first));
  if (faults.length === 0) return [findingOf(record, { status: "right", found: shown, why: undefined })];
  return faults.map(({ status, why }) => findingOf(record, { status, found: shown, why }));
}

function isOfUse(use: RecordUse, text: string): boolean {
  if (use === "spf") return isSpf(text);
  return use === "dmarc" ? /^v=DMARC1 *(;|$)/i.test(text) : /^MS=/i.test(text);
}

const includeOf = (spf: string): string => /include:([^ ]+)/.exec(spf)?.[1]?.toLowerCase() ?? "";

const faultsOfDmarc = (text: string): readonly { readonly status: "wrong"; readonly why: string }[] =>
  saysDmarcPolicy(text)
    ? []
    : [{ status: "wrong", why: "p=none, p=quarantine or p=reject must follow v=DMARC1" }];

/** SRV records, all of whose fields are told. */
async function verifyService(record: DomainRecord, ask: Ask): Promise<readonly Finding[]> {
  const { rrset } = record;
  const found = await find(ask, rrset.name, rrset.type);
  if (found.kind !== "records") return [withoutRecords(record, found)];
  const [expected] = rrset.rdatas;
  const shown = found.rdatas.map((rdata) => formatRdata(rrset.type, rdata));
  const others = found.rdatas.filter(
    (rdata) => expected === undefined || !isSame(rrset.type, expected, rdata),
  );
  if (others.length === 0) return [findingOf(record, { status: "right", found: shown, why: undefined })];
  const why =
    others.length < found.rdatas.length
      ? "another one stands beside it"
      : "priority, weight, port or target differ";
  return [findingOf(record, { status: "wrong", found: shown, why })];
}

/** What stands where a selector leads: a public key, or mail that is signed cannot be verified (RFC 6376 §3.6.1). */
async function verifyKey(owner: DomainName, selector: string, ask: Ask): Promise<readonly Finding[]> {
  const found = await find(ask, owner, TYPE.TXT);
  if (found.kind === "none" && found.aliases.length === 0) return []; // which is told of the CNAME
  const at = found.kind === "records" ? (found.aliases.at(-1) ?? owner) : found.at;
  const finding = (status: Status, shown: readonly string[], why: string | undefined): Finding => ({
    status,
    use: "dkim",
    name: at,
    type: "TXT",
    expected: "v=DKIM1; k=rsa; p=<public key>",
    found: shown,
    why,
  });
  if (found.kind === "unanswered") {
    if (at === owner) return [];
    return [finding("unknown", [], `${selector} leads here, and the server does not say: ${found.why}`)];
  }
  if (found.kind === "none") return [finding("wrong", [], `${selector} leads to a name without a key`)];
  const texts = found.rdatas.map(textOf);
  const shown = found.rdatas.map((rdata) => formatRdata(TYPE.TXT, rdata));
  if (texts.some((text) => /(^|;) *p *= *[A-Za-z0-9+/]{16,}/.test(text)))
    return [finding("right", shown, undefined)];
  return [finding("wrong", shown, `${selector} leads to a record without a public key`)];
}

/** A name that must not have any record. */
async function refuseName(name: DomainName, reason: string, ask: Ask): Promise<readonly Finding[]> {
  for (const type of [TYPE.CNAME, TYPE.A, TYPE.AAAA, TYPE.TXT]) {
    const response = await ask(name, type);
    if (typeof response === "string") continue;
    const here = response.answer.filter(({ owner }) => domainName(owner) === name);
    if (here.length === 0) continue;
    const found = here.map((record) => formatRdata(record.type, record.rdata));
    const why = `it must not be there: ${reason}`;
    const [first = { type }] = here;
    return [
      {
        status: "harmful",
        use: "harmful-name",
        name,
        type: formatType(first.type),
        expected: undefined,
        found,
        why,
      },
    ];
  }
  return [];
}

/** What a wildcard of the domain answers, by type. */
type Wildcard = ReadonlyMap<number, readonly string[]>;

async function findWildcard(apex: DomainName, ask: Ask): Promise<Wildcard | undefined> {
  const name = nameOf(`${NOBODY}.${apex}`);
  const answers = new Map<number, readonly string[]>();
  for (const type of [TYPE.CNAME, TYPE.A, TYPE.TXT]) {
    const response = await ask(name, type);
    if (typeof response === "string") continue;
    for (const { owner, type: its, rdata } of response.answer) {
      if (domainName(owner) === name && !answers.has(its)) answers.set(its, [formatRdata(its, rdata)]);
    }
  }
  return answers.size === 0 ? undefined : answers;
}

/** Where a wildcard does harm: it answers for names that are missing, as if they were there. */
function* hiddenBy(wildcard: Wildcard, apex: DomainName, findings: readonly Finding[]): Generator<Finding> {
  const answers = [...wildcard.values()].flat();
  const hidden = findings.filter(
    ({ status, name, found }) =>
      name !== apex &&
      (status === "wrong" || status === "harmful") &&
      found.some((text) => answers.includes(text)),
  );
  if (hidden.length === 0) return;
  const names = [...new Set(hidden.map(({ name }) => name))].join(" ");
  const [type = TYPE.CNAME] = wildcard.keys();
  yield {
    status: "harmful",
    use: "wildcard",
    name: nameOf(`*.${apex}`),
    type: formatType(type),
    expected: undefined,
    found: answers,
    why: `the wildcard answers for names that are not there: ${names}`,
  };
}
