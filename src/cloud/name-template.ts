/** Names with places to fill: `{DATACENTER}-efz.ms-acdc.office.com`. */

import { parseName } from "../dns/name.ts";
import type { MailRoute } from "./custom-domain.ts";
import type { Datacenter, TenantGeo } from "./topology.ts";

/** Each placeholder with what must be known to fill it. */
const placeholderNeeds = {
  datacenter: ["datacenter"],
  DATACENTER: ["datacenter"],
  code: ["datacenter"],
  region: ["region"],
  geo: ["datacenter"],
  farmGeo: ["datacenter"],
  net: ["datacenter"],
  netEnd: ["datacenter"],
  clump: ["datacenter", "slot"],
  farm: ["datacenter", "slot"],
  tenant: ["tenant"],
  domainKey: ["tenant", "domain"],
  number: ["number"],
  mxLetter: ["tenant", "domain", "mailRoute"],
  servedTenant: ["tenant", "isServed"],
} as const satisfies Record<string, readonly (keyof Bindings)[]>;

const placeholdersOf = (needs: readonly (keyof Bindings)[]): readonly string[] =>
  Object.entries(placeholderNeeds).flatMap(([name, itsNeeds]) =>
    itsNeeds.every((need) => needs.includes(need)) ? name : [],
  );

/** What is known when a name is written. */
export interface Bindings {
  readonly datacenter?: Datacenter | undefined;
  /** the region of the datacenter, or of several of which one is still to be chosen */
  readonly region?: string | undefined;
  readonly slot?: number | undefined;
  readonly tenant?: TenantGeo | undefined;
  readonly domain?: string | undefined;
  /** which one of a datacenter's addresses it is, the first being 1 */
  readonly number?: number | undefined;
  /** of a domain with a host below mx.microsoft */
  readonly mailRoute?: MailRoute | undefined;
  /** whether a domain of the tenant is served here */
  readonly isServed?: true | undefined;
}

/** What is known of a name of a chain, and of a host with one address of a datacenter. */
const chainPlaceholders = placeholdersOf([
  "datacenter",
  "region",
  "slot",
  "tenant",
  "domain",
  "mailRoute",
  "isServed",
]);
const hostPlaceholders = placeholdersOf(["datacenter", "region", "number"]);

export interface NameTemplate {
  readonly text: string;
  readonly needs: ReadonlySet<keyof Bindings>;
}

/** Parses a template; a sentence where it has a placeholder that there is not, or is no name. */
export const parseNameTemplate = (text: string): NameTemplate | string =>
  parseTemplate(text, chainPlaceholders);

/** The same for the names of hosts, which a {number} tells apart. */
export function parseHostTemplate(text: string): NameTemplate | string {
  const template = parseTemplate(text, hostPlaceholders);
  if (typeof template === "string" || template.needs.has("number")) return template;
  return `${text} would be one name for all addresses; tell them apart by {number}`;
}

function parseTemplate(text: string, placeholders: readonly string[]): NameTemplate | string {
  const needs = new Set<keyof Bindings>();
  for (const [, placeholder] of text.matchAll(/\{([^}]*)\}/g)) {
    const entry = Object.entries(placeholderNeeds).find(([name]) => name === placeholder);
    if (entry === undefined || !placeholders.includes(entry[0])) {
      return `{${placeholder}} is no placeholder; there are ${placeholders.map((name) => `{${name}}`).join(" ")}`;
    }
    for (const need of entry[1]) needs.add(need);
  }
  if (/[{}]/.test(text.replace(/\{[^}]*\}/g, ""))) return `"${text}" has a { or } that is no placeholder's`;
  const probe = parseName(text.replace(/\{[^}]*\}/g, "x"));
  return typeof probe === "string" ? probe : { text, needs };
}

/** Writes the name. Returns a sentence where a value is missing or the outcome is no name. */
export function fillTemplate(template: NameTemplate, bindings: Bindings): Uint8Array | string {
  let missing: string | undefined;
  const text = template.text.replace(/\{([^}]*)\}/g, (whole, placeholder: string) => {
    const value = fillPlaceholder(placeholder, bindings);
    if (value === undefined)
      missing ??= `${bindings.datacenter?.id ?? "nothing known here"} has no ${whole} for ${template.text}`;
    return value ?? "";
  });
  return missing ?? parseName(text);
}

function fillPlaceholder(
  placeholder: string,
  { datacenter, region, slot, tenant, domain, number, mailRoute }: Bindings,
): string | undefined {
  switch (placeholder) {
    case "datacenter":
      return datacenter?.shortId;
    case "DATACENTER":
      return datacenter?.shortId.toUpperCase();
    case "code":
      return datacenter?.code;
    case "region":
      return datacenter?.region ?? region;
    case "geo":
      return datacenter?.geo;
    case "farmGeo":
      return datacenter?.farms?.geo.toString();
    case "net":
      return datacenter?.farms?.net?.toString();
    case "netEnd":
      return plus(datacenter?.farms?.net, NETS_OF_A_NAME);
    case "clump":
      return plus(datacenter?.farms?.firstClump, slot);
    case "farm":
      return plus(datacenter?.farms?.firstFarm, slot);
    case "tenant":
    case "servedTenant":
      return tenant?.label;
    case "domainKey":
      return domain?.replaceAll(".", "-");
    case "number":
      return number?.toString().padStart(NUMBER_DIGITS, "0");
    case "mxLetter":
      return mailRoute?.letter;
    default:
      return undefined;
  }
}

/** `mail-dm3nam050036.inbound.protection.outlook.com`: what stands behind the forest nam05. */
const NUMBER_DIGITS = 4;

/** `prodnet324-328ipv4a0002`: the distance of the two numbers. */
const NETS_OF_A_NAME = 4;

function plus(first: number | undefined, more: number | undefined): string | undefined {
  return first === undefined || more === undefined ? undefined : String(first + more);
}
