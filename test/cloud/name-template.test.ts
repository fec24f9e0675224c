// Names with places to fill.

import { describe, expect, test } from "vitest";
import {
  type Bindings,
  fillTemplate,
  parseHostTemplate,
  parseNameTemplate,
} from "../../src/cloud/name-template.ts";
import { formatName } from "../../src/dns/name.ts";
import { datacenter, template, tenantGeo } from "./lab.ts";

const placeholderList =
  "{datacenter} {DATACENTER} {code} {region} {geo} {farmGeo} {net} {netEnd} {clump} {farm} {tenant} {domainKey} {mxLetter} {servedTenant}";

describe("parseNameTemplate", () => {
  test.each<readonly [text: string, needs: readonly string[]]>([
    ["outlook.office365.com", []],
    ["{datacenter}.example", ["datacenter"]],
    ["{DATACENTER}-efz.example", ["datacenter"]],
    ["outlook-{region}.example", ["region"]],
    ["{geo}.example", ["datacenter"]],
    ["dprodmgd{farmGeo}.example", ["datacenter"]],
    ["{clump}.example", ["datacenter", "slot"]],
    ["{farm}.{farmGeo}.example", ["datacenter", "slot"]],
    ["{tenant}-my.example", ["tenant"]],
    ["{domainKey}.mail.example", ["domain", "tenant"]],
    ["{tenant}.{datacenter}.example", ["datacenter", "tenant"]],
  ])("%s needs %j", (text, needs) => {
    const parsed = parseNameTemplate(text);
    expect(typeof parsed === "string" ? parsed : [parsed.text, [...parsed.needs].toSorted()]).toEqual([
      text,
      needs,
    ]);
  });

  test.each([
    ["{site}.example", `{site} is no placeholder; there are ${placeholderList}`],
    ["{Datacenter}.example", `{Datacenter} is no placeholder; there are ${placeholderList}`],
    ["{}.example", `{} is no placeholder; there are ${placeholderList}`],
    ["{number}.example", `{number} is no placeholder; there are ${placeholderList}`],
    ["{toString}.example", `{toString} is no placeholder; there are ${placeholderList}`],
    ["{tenant}..example", '"x..example" has an empty label'],
    ["{tenant.example", '"{tenant.example" has a { or } that is no placeholder\'s'],
    ["tenant}.example", '"tenant}.example" has a { or } that is no placeholder\'s'],
    ["", "an empty text is no name"],
  ])("%s is refused", (text, message) => {
    expect(parseNameTemplate(text)).toBe(message);
  });
});

describe("parseHostTemplate", () => {
  test.each([
    [
      "{tenant}{number}.example",
      "{tenant} is no placeholder; there are {datacenter} {DATACENTER} {code} {region} {geo} {farmGeo} {net} {netEnd} {number}",
    ],
    [
      "{datacenter}.example",
      "{datacenter}.example would be one name for all addresses; tell them apart by {number}",
    ],
    ["{number}..example", '"x..example" has an empty label'],
  ])("%s is refused", (text, message) => expect(parseHostTemplate(text)).toBe(message));

  test.each([
    [7, "mail-lhr0007.example."],
    [12345, "mail-lhr12345.example."],
  ])("the number %i has four digits, or more", (number, name) => {
    const parsed = parseHostTemplate("mail-{datacenter}{number}.example");
    const filled =
      typeof parsed === "string" ? parsed : fillTemplate(parsed, { datacenter: datacenter("lhr"), number });
    expect(typeof filled === "string" ? filled : formatName(filled)).toBe(name);
  });
});

describe("fillTemplate", () => {
  const lhr = datacenter("lhr", {
    geo: "GBR",
    farms: { geo: 104, firstClump: 4304, firstFarm: 190000, net: undefined },
  });
  const contoso = tenantGeo("contosoEUR", lhr, { tenant: "contoso" });
  const all: Bindings = { datacenter: lhr, slot: 15, tenant: contoso, domain: "mail.contoso.co.uk" };

  test.each<readonly [text: string, bindings: Bindings, name: string]>([
    ["{datacenter}.example", all, "lhr.example."],
    ["{DATACENTER}-efz.example", all, "LHR-efz.example."],
    ["outlook-{region}.example", all, "outlook-emeawest.example."],
    ["{geo}.example", all, "GBR.example."],
    ["dprodmgd{farmGeo}.example", all, "dprodmgd104.example."],
    ["{clump}-a.{farm}-b.example", all, "4319-a.190015-b.example."],
    ["{clump}.example", { datacenter: lhr, slot: 0 }, "4304.example."],
    // A satellite has names of its own.
    ["{tenant}.example", all, "contosoEUR.example."],
    ["{domainKey}.mail.example", all, "mail-contoso-co-uk.mail.example."],
    ["fixed.example", {}, "fixed.example."],
  ])("%s becomes %#", (text, bindings, name) => {
    const filled = fillTemplate(template(text), bindings);
    expect(typeof filled === "string" ? filled : formatName(filled)).toBe(name);
  });

  const bare = datacenter("gru", { region: undefined, farms: undefined });
  test.each<readonly [text: string, bindings: Bindings, message: string]>([
    ["{region}.example", { datacenter: bare }, "Lab/gru has no {region} for {region}.example"],
    ["{farm}.example", { datacenter: bare, slot: 1 }, "Lab/gru has no {farm} for {farm}.example"],
    ["{farmGeo}.example", { datacenter: bare }, "Lab/gru has no {farmGeo} for {farmGeo}.example"],
    ["{clump}.example", { datacenter: lhr }, "Lab/lhr has no {clump} for {clump}.example"],
    ["{tenant}.example", {}, "nothing known here has no {tenant} for {tenant}.example"],
    [
      `${"a".repeat(60)}-{datacenter}.example`,
      { datacenter: lhr },
      `"${"a".repeat(60)}-lhr.example" has a label over 63 octets`,
    ],
  ])("%s has no value where %#", (text, bindings, message) => {
    expect(fillTemplate(template(text), bindings)).toBe(message);
  });
});
