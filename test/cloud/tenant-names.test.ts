// The names of tenants that nobody keeps: found in wire format, as text, and as the chains of services make them.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainNames } from "../../src/cloud/chain.ts";
import type { Service } from "../../src/cloud/service.ts";
import {
  findMatch,
  matchesOf,
  nameOfMatch,
  TenantNames,
  type TenantTemplate,
  tenantLabelOf,
  tenantNamesMemory,
  tenantTemplates,
} from "../../src/cloud/tenant-names.ts";
import { TenantNodes } from "../../src/cloud/tenant-nodes.ts";
import { CloudTenants, findTenant, labelsLike, NO_ROW, TenantTable } from "../../src/cloud/tenant-table.ts";
import { derivedSlot } from "../../src/cloud/topology.ts";
import { domainName, nameOctets } from "../../src/dns/name.ts";
import { cloud, datacenter, poolSource, service, template, tenantGeo, tenantsOf } from "./lab.ts";

const lhr = datacenter("lhr", { addresses: [poolSource("198.18.1.0/24")] });
const ams = datacenter("ams", { addresses: [poolSource("198.18.2.0/24")] });

const owners = (...texts: readonly string[]): Service["links"] => [
  { ttlSeconds: 60, owners: texts.map(template) },
];

const services = [
  service({ name: "share", policy: "active-datacenter", links: owners("{tenant}.share.example") }),
  service({
    name: "forms",
    policy: "active-datacenter",
    links: owners("{tenant}-my.share.example", "Old-{tenant}-My.share.example", "{tenant}-x.other.example"),
    end: { kind: "alias", target: template("{tenant}.share.example") },
  }),
  service({ name: "mail", policy: "active-datacenter", links: owners("{domainKey}.mail.example") }),
];

const geos = [
  tenantGeo("contoso", lhr, { standby: ams, domains: ["contoso.com", "contoso.co.uk"] }),
  tenantGeo("contosoEUR", ams, { tenant: "contoso", slot: 3 }),
  tenantGeo("a-b-c", ams, { domains: ["a-b.example"] }),
  tenantGeo("Fabrikam", ams),
  tenantGeo("7", ams),
];

const lab = cloud({ datacenters: [lhr, ams], services, tenants: tenantsOf(...geos) });
const templates = tenantTemplates([lab]);

function namesOf(these: readonly TenantTemplate[]): TenantNames {
  const memory = tenantNamesMemory(these);
  return new TenantNames(memory ?? lost());
}

const lost = (): never => {
  throw new Error("there is no template");
};

describe("a template", () => {
  it.each([
    ["{tenant}.share.example", { holds: "tenant", prefix: "", suffix: "", parent: "share.example." }],
    [
      "My-{tenant}-X.share.example.",
      { holds: "tenant", prefix: "My-", suffix: "-X", parent: "share.example." },
    ],
    ["{domainKey}.mail.example", { holds: "domainKey", prefix: "", suffix: "", parent: "mail.example." }],
    ["{tenant}-{datacenter}.share.example", undefined],
    ["{tenant}.{geo}.example", undefined],
    ["www.{tenant}.example", undefined],
    ["{tenant}{tenant}.example", undefined],
    ["share.example", undefined],
  ])("%s is virtual if a tenant in its first label is all that it waits for", (text, expected) => {
    expect(tenantLabelOf(template(text))).toEqual(expected);
  });
});

describe("names of tenants", () => {
  const words = [
    "contoso",
    "contosoeur",
    "a-b-c",
    "fabrikam",
    "7",
    "contoso-com",
    "contoso-co-uk",
    "a-b-example",
    "x",
    "",
  ];
  const label = fc
    .tuple(
      fc.constantFrom("", "", "old-", "my-"),
      fc.oneof(fc.constantFrom(...words), fc.string({ unit: "grapheme-ascii", maxLength: 12 })),
      fc.constantFrom("", "", "-my", "-x", "-my-my", ".com"),
    )
    .map((parts) => parts.join("").slice(0, 63));
  const labels = fc.tuple(
    label,
    fc.constantFrom(
      ["share", "example"],
      ["mail", "example"],
      ["other", "example"],
      ["example"],
      ["x", "share", "example"],
    ),
  );
  const wire = labels.map(([first, rest]) =>
    Buffer.concat(
      [first, ...rest, ""]
        .filter((text, i) => text !== "" || i > rest.length)
        .flatMap((text) => [Uint8Array.of(text.length), Buffer.from(text, "latin1")]),
    ),
  );

  it("are found in wire format as they are found as text, in any case and anywhere in a message", () => {
    const names = namesOf(templates);
    fc.assert(
      fc.property(wire, fc.nat(40), fc.nat(0xffff), (octets, offset, turned) => {
        const message = Buffer.concat([Buffer.alloc(offset, 1), octets, Buffer.alloc(4, 0x2d)]);
        for (let i = 0; i < octets.length; i++) {
          const octet = message[offset + i] ?? 0;
          const isLetter = (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a);
          if (isLetter && ((turned >> (i % 16)) & 1) === 1) message[offset + i] = octet ^ 0x20;
        }
        const found = names.find(message, offset, offset + octets.length)
          ? [templates[names.template]?.template.text, names.row, names.domain]
          : undefined;
        const expected = templates.flatMap((each) => {
          const match = findMatch(each, domainName(octets));
          return match === undefined ? [] : [[each.template.text, match.row, match.domain ?? NO_ROW]];
        });
        expect(expected.length).toBeLessThan(2);
        expect(found).toEqual(expected[0]);
      }),
      { numRuns: 3000 },
    );
  });

  it("are those that the chains of services have, with the same content", () => {
    const nodes = new TenantNodes(templates);
    const byName = new Map([...nodes]);
    const made = services.flatMap((each) => [...chainNames(each, lab)]);
    expect(made.every(({ kind }) => kind !== "fault")).toBe(true);
    expect(new Set(byName.keys())).toEqual(new Set(made.map(({ owner }) => owner && domainName(owner))));
    expect([...nodes.names()]).toEqual([...byName.keys()]);
    for (const name of made) {
      if (name.kind === "fault") continue;
      const node = nodes.get(domainName(name.owner));
      expect(node?.tailored).toEqual(name.kind === "tailored" ? name.tailored : undefined);
      expect([...(node?.rrsets.values() ?? [])]).toEqual(name.kind === "records" ? name.rrsets : []);
      expect(nodes.get(domainName(name.owner))).toBe(node);
    }
  });

  it("tell row, shape, slot and label to a thread that is sent their description", () => {
    const memory = tenantNamesMemory(templates);
    if (memory === undefined) throw new Error("there is no template");
    const names = new TenantNames(structuredClone(memory));
    const octets = nameOctets(domainName(Buffer.from("\x0dcontosoEUR-my\x05share\x07example\0", "latin1")));
    expect(names.find(octets, 0, octets.length)).toBe(true);
    const { row } = names;
    const { table } = lab.tenants;
    expect([names.shapeOf(row), names.slotOf(row)]).toEqual([table.shapeOf(row), 3]);
    const start = names.labelStart(row);
    const label = Buffer.from(names.labels).toString("latin1", start, start + names.labelLength(row));
    expect(label).toBe("contosoEUR");
  });

  it("belong to the cloud of the template alone", () => {
    const table = new TenantTable();
    const add = (label: string, of: string): void => {
      const shape = { cloud: of, geo: "EUR", active: lhr, standby: undefined } as const;
      const number = table.shapeNumber({ ...shape, failover: "automatic", failback: "manual" }) ?? 0;
      table.addRow(Buffer.from(label), 0, label.length, number);
    };
    add("contoso", "A");
    add("fabrikam", "B");
    const of = (name: string) =>
      cloud({
        name,
        tenants: new CloudTenants(table, name),
        services: [service({ links: owners("{tenant}.x.example") })],
      });
    const both = tenantTemplates([of("A"), of("B")]);
    const names = namesOf(both);
    const find = (text: string) => {
      const octets = nameOctets(
        domainName(Buffer.from(`${String.fromCharCode(text.length)}${text}\x01x\x07example\0`, "latin1")),
      );
      return names.find(octets, 0, octets.length) ? names.template : undefined;
    };
    expect([find("contoso"), find("FABRIKAM"), find("nobody")]).toEqual([0, 1, undefined]);
    expect(both.map((each) => [...matchesOf(each)].map((match) => nameOfMatch(each, match)))).toEqual([
      ["contoso.x.example."],
      ["fabrikam.x.example."],
    ]);
  });

  it("of domains with one key belong each to the cloud of its tenant", () => {
    const table = new TenantTable();
    for (const [label, of, domain] of [
      ["contoso", "A", "a-b.example"],
      ["fabrikam", "B", "a.b.example"],
      ["tailspin", "C", "a.b-example"],
    ] as const) {
      const shape = { cloud: of, geo: "EUR", active: lhr, standby: undefined } as const;
      const number = table.shapeNumber({ ...shape, failover: "automatic", failback: "manual" }) ?? 0;
      table.addRow(Buffer.from(label), 0, label.length, number);
      table.addDomain(Buffer.from(domain), 0, domain.length);
    }
    const of = (name: string) =>
      cloud({
        name,
        tenants: new CloudTenants(table, name),
        services: [service({ links: owners(`{domainKey}.${name}.example`) })],
      });
    const all = tenantTemplates([of("A"), of("B"), of("C"), of("D")]);
    const names = namesOf(all);
    const found = ["a", "b", "c", "d"].map((of) => {
      const octets = Buffer.from(`\x0ba-b-example\x01${of}\x07example\0`, "latin1");
      const match = findMatch(all["abcd".indexOf(of)] ?? lost(), domainName(octets));
      const isFound = names.find(octets, 0, octets.length);
      expect(isFound ? [names.row, names.domain] : undefined).toEqual(match && [match.row, match.domain]);
      return match && table.domainAt(match.domain ?? NO_ROW);
    });
    expect(found).toEqual(["a-b.example", "a.b.example", "a.b-example", undefined]);
  });
});

describe("the table", () => {
  it("gives back what was put in, row by row and by label", () => {
    expect([...lab.tenants]).toEqual(geos);
    for (const geo of geos) {
      expect(lab.tenants.find(geo.label.toUpperCase())).toEqual(geo);
      expect(findTenant([lab], geo.label.toLowerCase())).toEqual(geo);
    }
    expect(lab.tenants.find("contos")).toBeUndefined();
    expect(lab.tenants.find("contoso\u0100")).toBeUndefined();
    expect([lab.tenants.count, lab.tenants.homeCount]).toEqual([5, 4]);
    expect([...lab.tenants.page(1, 2)].map(({ label }) => label)).toEqual(["contosoEUR", "a-b-c"]);
    expect(labelsLike([lab], "contos")).toEqual(geos.map(({ label }) => label));
  });

  it("finds each of very many labels, none twice, and derives their slots", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9]{1,9}$/), {
          selector: (text) => text.toLowerCase(),
          maxLength: 600,
        }),
        (texts) => {
          const table = new TenantTable();
          const shape =
            table.shapeNumber({
              cloud: "Lab",
              geo: "EUR",
              active: lhr,
              standby: undefined,
              failover: "automatic",
              failback: "manual",
            }) ?? 0;
          for (const text of texts) table.addRow(Buffer.from(text), 0, text.length, shape);
          for (const [row, text] of texts.entries()) {
            expect(table.findRow(text.toUpperCase())).toBe(row);
            expect(table.labelAt(row)).toBe(text);
            expect(table.slotOf(row)).toBe(derivedSlot(text));
            expect(table.addRow(Buffer.from(text.toLowerCase()), 0, text.length, shape)).toBe(NO_ROW);
          }
          expect(table.rowCount).toBe(texts.length);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("the digest of names", () => {
  const contentOf = ({
    rrsets,
    tailored,
  }: {
    rrsets: ReadonlyMap<number, unknown>;
    tailored: unknown;
  }): string =>
    JSON.stringify([[...rrsets.values()], tailored], (key, value: unknown) =>
      key === "service" || key === "tenant" ? undefined : value,
    );
  const digestOf = (these: readonly ReturnType<typeof tenantGeo>[]): string =>
    new TenantNodes(
      tenantTemplates([cloud({ datacenters: [lhr, ams], services, tenants: tenantsOf(...these) })]),
    ).digest(contentOf);
  const changed = (label: string, changes: Partial<ReturnType<typeof tenantGeo>>) =>
    geos.map((geo) => (geo.label === label ? { ...geo, ...changes } : geo));

  it.each([
    [
      "another order",
      geos.toReversed().toSorted((a, b) => Number(a.tenant !== a.label) - Number(b.tenant !== b.label)),
    ],
    ["another case of a label", changed("Fabrikam", { label: "fabrikam", tenant: "fabrikam" })],
    ["another geo", changed("Fabrikam", { geo: "GBR" })],
  ])("stays with %s", (_, these) => {
    expect(digestOf(these)).toBe(digestOf(geos));
  });

  it.each([
    ["a tenant gone", geos.slice(0, -1)],
    ["a tenant more", [...geos, tenantGeo("more", lhr)]],
    ["another label", changed("7", { label: "8", tenant: "8" })],
    ["a domain gone", changed("a-b-c", { domains: [] })],
    ["two tenants exchanged", changed("Fabrikam", { label: "7x", tenant: "7x" })],
  ])("moves with %s", (_, these) => {
    expect(digestOf(these)).not.toBe(digestOf(geos));
  });
});
