/** Which names a pattern of a published list matches, and what is none. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameOf } from "../../src/dns/name.ts";
import { matchesName, type NamePattern, parseNamePattern } from "../../src/dns/name-pattern.ts";

function pattern(text: string): NamePattern {
  const parsed = parseNamePattern(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

describe("a pattern", () => {
  test.each<readonly [text: string, matches: readonly string[], others: readonly string[]]>([
    [
      "outlook.office365.com",
      ["outlook.office365.com", "OUTLOOK.Office365.com"],
      ["a.outlook.office365.com", "office365.com"],
    ],
    [
      "*.sharepoint.com",
      ["contoso.sharepoint.com", "a.b.c.sharepoint.com", "Contoso.SharePoint.com"],
      ["sharepoint.com", "xsharepoint.com", "contoso.sharepoint.com.example", "contoso.sharepoint-com"],
    ],
    ["*.SharePoint.com", ["contoso.sharepoint.com"], ["sharepoint.com"]],
    [
      "*-my.sharepoint.com",
      ["contoso-my.sharepoint.com", "-my.sharepoint.com"],
      ["contoso.sharepoint.com", "a.contoso-my.sharepoint.com", "contoso-my.x.sharepoint.com"],
    ],
    [
      "<tenant>-my.sharepoint.com",
      ["contoso-my.sharepoint.com"],
      ["-my.sharepoint.com", "a.contoso-my.sharepoint.com"],
    ],
    ["<tenant>.sharepoint.com", ["contoso.sharepoint.com"], ["a.b.sharepoint.com", "sharepoint.com"]],
    [
      "autodiscover.*.onmicrosoft.com",
      ["autodiscover.contoso.onmicrosoft.com"],
      [
        "autodiscover.contoso.mail.onmicrosoft.com",
        "autodiscover.onmicrosoft.com",
        "x.autodiscover.contoso.onmicrosoft.com",
      ],
    ],
    [
      "autodiscover.<tenant>.onmicrosoft.com",
      ["autodiscover.contoso.onmicrosoft.com"],
      ["autodiscover.onmicrosoft.com"],
    ],
    [
      "*cdn.onenote.net",
      ["cdn.onenote.net", "site-cdn.onenote.net"],
      ["a.sitecdn.onenote.net", "cdnx.onenote.net", "onenote.net"],
    ],
    ["*.a*c.example", ["x.ac.example", "x.y.abbc.example"], ["ac.example", "x.a.c.example"]],
    ["*.example.", ["a.example"], ["example"]],
  ])("%s", (text, matches, others) => {
    const parsed = pattern(text);
    const names = [...matches, ...others];
    expect(names.filter((name) => matchesName(parsed, nameOf(name)))).toEqual(matches);
    if (parsed.kind === "wildcard") expect(matchesName(parsed, parsed.sample)).toBe(true);
  });

  test.each([
    [
      "https://outlook.office.com",
      '"https://outlook.office.com" is no name, nor one with * or <tenant> in it',
    ],
    ["outlook.office.com/owa", '"outlook.office.com/owa" is no name, nor one with * or <tenant> in it'],
    ["", '"" is no name, nor one with * or <tenant> in it'],
    ["a..example", '"a..example" is no name, nor one with * or <tenant> in it'],
    ["<tenant.sharepoint.com", '"<tenant.sharepoint.com" is no name, nor one with * or <tenant> in it'],
    ["*", '"*" ends in a wildcard; a name must be behind it'],
    ["outlook.*", '"outlook.*" ends in a wildcard; a name must be behind it'],
    [`${"a".repeat(64)}.example`, `"${"a".repeat(64)}.example" has a label over 63 octets`],
  ])("%j is none", (text, sentence) => {
    expect(parseNamePattern(text)).toBe(sentence);
  });

  test("that begins with *. matches exactly what is below", () => {
    const label = fc.constantFrom("a", "b", "xa", "x");
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
    fc.assert(
      fc.property(name, name, (below, at) => {
        const matched = matchesName(pattern(`*.${at}`), nameOf(below));
        expect(matched).toBe(below.length > at.length && `.${below}`.endsWith(`.${at}`));
      }),
    );
  });
});
