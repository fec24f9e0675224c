/**
 * What an administrator creates at a custom domain, as a cloud's file has it, filled in for one domain of one tenant; and what
 * these records lead to that Microsoft creates: the tenant's initial domain, and the public keys of DKIM.
 */

import { TYPE } from "../dns/iana.ts";
import type { RRset } from "../dns/message.ts";
import { formatName, nameOctets, nameOf, parseName } from "../dns/name.ts";
import { parseRecordLine } from "../dns/record-line.ts";
import { hashOctets } from "./packed-texts.ts";
import type { Mark, TenantGeo } from "./topology.ts";

/** What a record of the set is for. */
export const recordUses = [
  "verification",
  "mx",
  "spf",
  "autodiscover",
  "dkim",
  "dmarc",
  "sip",
  "lyncdiscover",
  "sip-tls",
  "sip-federation",
  "registration",
  "enrollment",
  "msoid",
] as const;

export type RecordUse = (typeof recordUses)[number];

/** The same, in the words of an administrator. */
export const purposes: Readonly<Record<RecordUse, string>> = {
  verification: "proves that the domain is yours; it may go once that is verified",
  mx: "mail for the domain comes in here",
  spf: "who sends mail of the domain (RFC 7208)",
  autodiscover: "Outlook and phones find the mailbox",
  dkim: "where the public key is that mail is signed with (RFC 6376)",
  dmarc: "what becomes of mail that fails SPF and DKIM: your own policy (RFC 7489)",
  sip: "Teams and Skype for Business sign in",
  lyncdiscover: "Teams and Skype for Business on phones",
  "sip-tls": "Teams and Skype for Business find their server",
  "sip-federation": "other organisations reach yours",
  registration: "devices register with the directory",
  enrollment: "devices enrol in mobile device management",
  msoid: "Office signs in at the cloud's own service",
};

/** The hosts or keys that go by the domain's older name, or those below `mx.microsoft` and `dkim.mail.microsoft`. */
export const recordForms = ["classic", "microsoft"] as const;
export type RecordForm = (typeof recordForms)[number];

/** One record of the set before it is filled in. */
export interface RecordTemplate {
  readonly use: RecordUse;
  /** undefined: it is there in every form */
  readonly form: RecordForm | undefined;
  /** relative to the domain, with placeholders */
  readonly line: string;
  /** records that are right in its place: those of older instructions */
  readonly older: readonly string[];
  /** undefined where it is published */
  readonly mark: Mark | undefined;
}

/** What a cloud says of its custom domains. */
export interface DomainRules {
  readonly initialDomain: { readonly name: string; readonly lines: readonly string[] };
  readonly letters: { readonly mx: readonly string[]; readonly dkim: readonly string[] };
  readonly templates: readonly RecordTemplate[];
  /** names, relative to the domain, that must not be there, with the reason */
  readonly harmful: ReadonlyMap<string, string>;
}

/** What is chosen for one domain. */
export interface DomainChoices {
  readonly mx: RecordForm;
  readonly dkim: RecordForm;
  /** the whole text of the TXT record; derived where absent */
  readonly verification?: string | undefined;
  /** the same */
  readonly dmarc?: string | undefined;
  /** what `{domainKey}` stands for; derived where absent */
  readonly domainKey?: string | undefined;
}

export const classicForms: DomainChoices = { mx: "classic", dkim: "classic" };

/** A custom domain of which more is said than that it is there. */
export interface CustomDomain {
  /** in lower case, without a dot at its end */
  readonly domain: string;
  readonly tenant: TenantGeo;
  readonly choices: DomainChoices;
  /** whether it is served here as a zone */
  readonly isServed: boolean;
  /** who its host below mx.microsoft follows: the tenant, or a geography in which its mail stays; undefined without a host */
  readonly mailRoute: MailRoute | undefined;
}

export interface MailRoute {
  readonly follows: TenantGeo;
  readonly letter: string;
  readonly ipv6: boolean;
}

/** A record of the set. */
export interface DomainRecord {
  readonly use: RecordUse;
  readonly mark: Mark | undefined;
  /** of one record */
  readonly rrset: RRset;
  /** records that are right in its place */
  readonly older: readonly RRset[];
}

/** TTL that Microsoft asks for, in seconds. */
export const DOMAIN_TTL = 3600;

const DEFAULT_DMARC = "v=DMARC1; p=reject";

/** Whether a DMARC record says a policy, which is the administrator's own (RFC 7489 §6.3). */
export const saysDmarcPolicy = (text: string): boolean =>
  /^v=DMARC1 *; *p *= *(none|quarantine|reject) *(;|$)/i.test(text);

const placeholders = [
  "domain",
  "domainKey",
  "tenant",
  "initialDomain",
  "mxLetter",
  "dkimLetter",
  "verification",
  "dmarc",
] as const;
type Placeholder = (typeof placeholders)[number];

/** Undefined where a line of a cloud's file is a record once it is filled in; else what is wrong. */
export function faultOfLine(line: string): string | undefined {
  const fault = faultOfPlaceholders(line);
  if (fault !== undefined) return fault;
  const record = parseRecordLine(
    fillIn(line, () => "x"),
    nameOctets(nameOf("domain.example.")),
    DOMAIN_TTL,
  );
  return typeof record === "string" ? record : undefined;
}

/** The same of the name of initial domains. */
export function faultOfInitialDomain(text: string): string | undefined {
  const fault = faultOfPlaceholders(text);
  if (fault !== undefined) return fault;
  if (!text.startsWith("{tenant}.")) return `expected a name like {tenant}.onmicrosoft.com, found "${text}"`;
  const name = parseName(fillIn(text, () => "x"));
  return typeof name === "string" ? name : undefined;
}

function faultOfPlaceholders(text: string): string | undefined {
  for (const [whole, placeholder] of text.matchAll(/\{([^}]*)\}/g)) {
    if (placeholders.some((each) => each === placeholder)) continue;
    return `${whole} is no placeholder here; there are ${placeholders.map((each) => `{${each}}`).join(" ")}`;
  }
  return undefined;
}

const fillIn = (text: string, fill: (placeholder: Placeholder) => string): string =>
  text.replace(/\{([^}]*)\}/g, (whole, found: string) => {
    const placeholder = placeholders.find((each) => each === found);
    return placeholder === undefined ? whole : fill(placeholder);
  });

interface Whose {
  readonly domain: string;
  /** its label */
  readonly tenant: string;
  /** the name that it has before it has another, where that is not the cloud's usual one */
  readonly initialDomain?: string | undefined;
}

const initialNameOf = (rules: DomainRules, { tenant, initialDomain }: Omit<Whose, "domain">): string =>
  initialDomain ?? fillIn(rules.initialDomain.name, () => tenant).toLowerCase();

/** The same number for a text, always. */
function numberOf(text: string): number {
  const octets = Buffer.from(text.toLowerCase(), "latin1");
  return hashOctets(octets, 0, octets.length) >>> 0;
}

const letterOf = (letters: readonly string[], text: string): string | undefined =>
  letters[numberOf(text) % Math.max(1, letters.length)];

/** Which of the zones below mx.microsoft holds a domain's host; undefined where the cloud has none. */
export const mxLetterOf = ({ letters }: DomainRules, domain: string): string | undefined =>
  letterOf(letters.mx, domain);

/** What proves that a tenant has a domain, where nobody says what Microsoft has given. */
export const verificationOf = ({ domain, tenant }: Whose): string =>
  `MS=ms${String(numberOf(`${tenant} ${domain}`) % 100_000_000).padStart(8, "0")}`;

/** The forms of a use that a cloud has. */
export const formsOf = ({ templates }: DomainRules, of: RecordUse): readonly RecordForm[] =>
  recordForms.filter((form) =>
    templates.some(({ use, form: its }) => use === of && (its ?? "classic") === form),
  );

/** What an administrator creates at a domain; a sentence where a record cannot be. */
export function domainRecords(
  rules: DomainRules,
  whose: Whose,
  choices: DomainChoices,
): readonly DomainRecord[] | string {
  const apex = parseName(`${whose.domain}.`);
  if (typeof apex === "string") return apex;
  const records: DomainRecord[] = [];
  for (const { use, form, line, older, mark } of rules.templates) {
    if (form !== undefined && form !== (use === "mx" ? choices.mx : choices.dkim)) continue;
    const [rrset, ...others] = [line, ...older].map((each) =>
      parseRecordLine(fillFor(rules, whose, choices, each), apex, DOMAIN_TTL),
    );
    if (rrset === undefined || typeof rrset === "string") return rrset ?? line;
    records.push({ use, mark, rrset, older: others.filter((each) => typeof each !== "string") });
  }
  return records;
}

function fillFor(rules: DomainRules, whose: Whose, choices: DomainChoices, line: string): string {
  const { domain, tenant } = whose;
  return fillIn(line, (placeholder) => {
    switch (placeholder) {
      case "domain":
        return domain;
      case "domainKey":
        return choices.domainKey ?? domain.replaceAll(".", "-");
      case "tenant":
        return tenant;
      case "initialDomain":
        return initialNameOf(rules, whose);
      case "mxLetter":
        return mxLetterOf(rules, domain) ?? "";
      case "dkimLetter":
        return letterOf(rules.letters.dkim, tenant) ?? "";
      case "verification":
        return quotable(choices.verification ?? verificationOf(whose));
      case "dmarc":
        return quotable(choices.dmarc ?? DEFAULT_DMARC);
      default:
        return placeholder satisfies never;
    }
  });
}

/** As it may stand between quotes (RFC 1035 §5.1). */
const quotable = (text: string): string => text.replace(/["\\]/g, "\\$&");

/** What stands at a tenant's initial domain, which Microsoft creates. */
export function initialRecords(rules: DomainRules, whose: Omit<Whose, "domain">): readonly RRset[] | string {
  const domain = initialNameOf(rules, whose);
  const apex = parseName(`${domain}.`);
  if (typeof apex === "string") return apex;
  const rrsets: RRset[] = [];
  for (const line of rules.initialDomain.lines) {
    const rrset = parseRecordLine(fillFor(rules, { ...whose, domain }, classicForms, line), apex, DOMAIN_TTL);
    if (typeof rrset === "string") return rrset;
    rrsets.push(rrset);
  }
  return rrsets;
}

/** Where the selectors of a set lead, each with its name: what stands there holds the public key. */
export function dkimTargets(
  records: readonly DomainRecord[],
): readonly { readonly selector: string; readonly target: Uint8Array }[] {
  return records.flatMap(({ use, rrset }) => {
    const [target] = rrset.rdatas;
    if (use !== "dkim" || rrset.type !== TYPE.CNAME || target === undefined) return [];
    const [selector = ""] = formatName(rrset.owner).split(".", 1);
    return [{ selector, target }];
  });
}

/** The longest character-string (RFC 1035 §3.3). */
const MAX_STRING = 255;

/** The TXT record that holds a public key (RFC 6376 §3.6.1), in as many strings as it takes. */
export function dkimKey(owner: Uint8Array, publicKey: string): RRset | string {
  const text = `v=DKIM1; k=rsa; p=${publicKey};`;
  const strings = Array.from({ length: Math.ceil(text.length / MAX_STRING) }, (_, i) =>
    JSON.stringify(text.slice(i * MAX_STRING, (i + 1) * MAX_STRING)),
  );
  return parseRecordLine(`${formatName(owner)} TXT ${strings.join(" ")}`, owner, DOMAIN_TTL);
}
