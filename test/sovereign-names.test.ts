/**
 * Every public name of the sovereign clouds, asked from six offices: the whole chain, and the addresses at its end. SITE and N
 * stand for the datacenter that an office is led to, as names spell it, and for its network of addresses.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { RCODE, TYPE } from "../src/dns/iana.ts";
import { formatRRset } from "../src/dns/message.ts";
import { nameOctets, nameOf } from "../src/dns/name.ts";
import { resolve } from "../src/resolve.ts";
import { loadLab } from "./audit/labs.ts";

const folder = mkdtempSync(join(tmpdir(), "geodns365-sovereign-"));
afterAll(() => rmSync(folder, { recursive: true }));

const config = join(import.meta.dirname, "../config/geodns365.yaml");
writeFileSync(
  join(folder, "lab.yaml"),
  JSON.stringify({ clouds: { Germany: { enabled: true } }, include: [config] }),
);
const lab = loadLab(join(folder, "lab.yaml"));

const offices = [
  "london-office",
  "new-york-office",
  "singapore-office",
  "sydney-office",
  "beijing-office",
  "sao-paulo-office",
] as const;

interface Site {
  readonly code: string;
  readonly network: string;
}

const site = (code: string, network: string): Site => ({ code, network });
const bjs = site("BJS", "198.19.1");
const sha = site("SHA", "198.19.2");
const usgv = site("USGV", "198.19.16");
const usga = site("USGA", "198.19.18");
const dode = site("DODE", "198.19.32");
const dodc = site("DODC", "198.19.33");
const frankfurt = site("FRANKFURT", "198.19.48");
const magdeburg = site("MAGDEBURG", "198.19.49");

/** Where offices are led to, in the order above; and who holds the tenant's data. */
interface CloudTable {
  readonly nearest: readonly Site[];
  readonly home: Site;
  /** names by place */
  readonly byPlace: string;
  /** names of a tenant, which lead the same way from everywhere */
  readonly ofTenant: string;
}

const tables: Readonly<Record<string, CloudTable>> = {
  China: {
    nearest: [bjs, bjs, sha, sha, bjs, bjs],
    home: bjs,
    byPlace: `
      partner.outlook.cn > outlook.geo.partner.outlook.cn > SITE-efz.partner.outlook.cn N.1 N.2 N.3 N.4
      autodiscover.partner.outlook.cn > autod.geo.partner.outlook.cn N.17 N.18 N.19 N.20
      portal.partner.microsoftonline.cn > portal.geo.partner.microsoftonline.cn > SITE-portal.partner.microsoftonline.cn N.33 N.34
      webshell.suite.partner.microsoftonline.cn > home.geo.partner.microsoftonline.cn > SITE-home.partner.microsoftonline.cn N.113 N.114
      login.partner.microsoftonline.cn > login.geo.partner.microsoftonline.cn N.49 N.50 N.51 N.52
      clientconfig.partner.microsoftonline-p.net.cn > clientconfig.geo.partner.microsoftonline-p.net.cn N.161 N.162
      webdir.online.partner.lync.cn > skype.geo.partner.lync.cn > SITE-edge.partner.lync.cn N.129 N.130
      sipdir.online.partner.lync.cn > skype.geo.partner.lync.cn > SITE-edge.partner.lync.cn N.129 N.130
      sipfed.online.partner.lync.cn > skype.geo.partner.lync.cn > SITE-edge.partner.lync.cn N.129 N.130`,
    ofTenant: `
      tailspin.sharepoint.cn > 319-ipv4v6e.clump.cprod201.aa-rt.sharepoint.cn > 90015-ipv4v6e.farm.cprod201.aa-rt.sharepoint.cn N.65 N.66
      tailspin-my.sharepoint.cn > tailspin.sharepoint.cn > ...
      tailspin-admin.sharepoint.cn > tailspin.sharepoint.cn > ...
      tailspin-files.sharepoint.cn > tailspin.sharepoint.cn > ...
      tailspin-myfiles.sharepoint.cn > tailspin.sharepoint.cn > ...
      tailspintoys-com.mail.protection.partner.outlook.cn N.81 N.82
      tailspin.mail.protection.partner.outlook.cn N.81 N.82`,
  },
  USGovGCCHigh: {
    nearest: [usgv, usgv, usga, usga, usga, usgv],
    home: usgv,
    byPlace: `
      outlook.office365.us > outlook.geo.office365.us > SITE-efz.office365.us N.1 N.2 N.3 N.4
      autodiscover.office365.us > autod.geo.office365.us N.17 N.18 N.19 N.20
      autodiscover-s.office365.us > autod.geo.office365.us N.17 N.18 N.19 N.20
      portal.office365.us > portal.geo.office365.us > SITE-portal.office365.us N.33 N.34
      www.office365.us > home.geo.office365.us > SITE-home.office365.us N.113 N.114
      login.microsoftonline.us > login.geo.microsoftonline.us N.49 N.50 N.51 N.52
      admin.onedrive.us > admin.geo.onedrive.us > SITE-admin.onedrive.us N.177 N.178
      gov.teams.microsoft.us > gov.geo.teams.microsoft.us > SITE-gov.teams.microsoft.us N.145 N.146
      webdir.online.gov.skypeforbusiness.us > skype.geo.gov.skypeforbusiness.us > SITE-edge.gov.skypeforbusiness.us N.129 N.130
      sipdir.online.gov.skypeforbusiness.us > skype.geo.gov.skypeforbusiness.us > SITE-edge.gov.skypeforbusiness.us N.129 N.130
      sipfed.online.gov.skypeforbusiness.us > skype.geo.gov.skypeforbusiness.us > SITE-edge.gov.skypeforbusiness.us N.129 N.130`,
    ofTenant: `
      litware.sharepoint.us > 315-ipv4v6e.clump.govprod301.aa-rt.sharepoint.us > 91011-ipv4v6e.farm.govprod301.aa-rt.sharepoint.us N.65 N.66
      litware-my.sharepoint.us > litware.sharepoint.us > ...
      litware-admin.sharepoint.us > litware.sharepoint.us > ...
      litware-files.sharepoint.us > litware.sharepoint.us > ...
      litware-myfiles.sharepoint.us > litware.sharepoint.us > ...
      litware.mail.protection.office365.us N.81 N.82`,
  },
  USGovDoD: {
    nearest: [dode, dode, dodc, dodc, dodc, dode],
    home: dode,
    byPlace: `
      outlook-dod.office365.us > outlook-dod.geo.office365.us > SITE-efz.office365.us N.1 N.2 N.3 N.4
      webmail.apps.mil > outlook-dod.geo.office365.us > SITE-efz.office365.us N.1 N.2 N.3 N.4
      autodiscover-dod.office365.us > autod-dod.geo.office365.us N.17 N.18 N.19 N.20
      autodiscover-s-dod.office365.us > autod-dod.geo.office365.us N.17 N.18 N.19 N.20
      portal.apps.mil > portal.geo.apps.mil > SITE-portal.apps.mil N.33 N.34
      www.ohome.apps.mil > home.geo.apps.mil > SITE-home.apps.mil N.113 N.114
      webshell.dodsuite.office365.us > home.geo.apps.mil > SITE-home.apps.mil N.113 N.114
      od.apps.mil > od.geo.apps.mil > SITE-od.apps.mil N.177 N.178
      dod.teams.microsoft.us > dod.geo.teams.microsoft.us > SITE-dod.teams.microsoft.us N.145 N.146
      webdir.online.dod.skypeforbusiness.us > skype.geo.dod.skypeforbusiness.us > SITE-edge.dod.skypeforbusiness.us N.129 N.130
      sipdir.online.dod.skypeforbusiness.us > skype.geo.dod.skypeforbusiness.us > SITE-edge.dod.skypeforbusiness.us N.129 N.130
      sipfed.online.dod.skypeforbusiness.us > skype.geo.dod.skypeforbusiness.us > SITE-edge.dod.skypeforbusiness.us N.129 N.130`,
    ofTenant: `
      woodgrove.sharepoint-mil.us > 319-ipv4v6e.clump.dodprod401.aa-rt.sharepoint-mil.us > 92015-ipv4v6e.farm.dodprod401.aa-rt.sharepoint-mil.us N.65 N.66
      woodgrove-my.sharepoint-mil.us > woodgrove.sharepoint-mil.us > ...
      woodgrove-admin.sharepoint-mil.us > woodgrove.sharepoint-mil.us > ...
      woodgrove-files.sharepoint-mil.us > woodgrove.sharepoint-mil.us > ...
      woodgrove-myfiles.sharepoint-mil.us > woodgrove.sharepoint-mil.us > ...
      woodgrove.dps.mil > woodgrove.sharepoint-mil.us > ...
      woodgrove-my.dps.mil > woodgrove.sharepoint-mil.us > ...
      woodgrove.mail.protection.office365.us N.81 N.82`,
  },
  Germany: {
    nearest: [frankfurt, frankfurt, magdeburg, magdeburg, magdeburg, frankfurt],
    home: frankfurt,
    byPlace: `
      outlook.office.de > outlook.office.de.akadns.net > SITE-efz.office.de N.1 N.2 N.3 N.4
      autodiscover-outlook.office.de > autod.office.de.akadns.net N.17 N.18 N.19 N.20
      autodiscover-s.outlook.de > autod.office.de.akadns.net N.17 N.18 N.19 N.20
      portal.office.de > portal.office.de.akadns.net > SITE-portal.office.de N.33 N.34
      www.office.de > home.office.de.akadns.net > SITE-home.office.de N.113 N.114
      webshell.suite.office.de > home.office.de.akadns.net > SITE-home.office.de N.113 N.114
      login.microsoftonline.de > login.de.msods.nsatc.net N.49 N.50 N.51 N.52
      enterpriseregistration.microsoftonline.de > registration.windows.de.nsatc.net N.161 N.162
      webdir.online.skype.de > skype.geo.online.skype.de > SITE-edge.online.skype.de N.129 N.130
      sipdir.online.lync.de > skype.geo.online.skype.de > SITE-edge.online.skype.de N.129 N.130
      sipfed.online.lync.de > skype.geo.online.skype.de > SITE-edge.online.skype.de N.129 N.130`,
    ofTenant: `
      adatum.sharepoint.de > 319-ipv4v6e.clump.deprod501.aa-rt.sharepoint.de > 93015-ipv4v6e.farm.deprod501.aa-rt.sharepoint.de N.65 N.66
      adatum-my.sharepoint.de > adatum.sharepoint.de > ...
      adatum-admin.sharepoint.de > adatum.sharepoint.de > ...
      adatum-files.sharepoint.de > adatum.sharepoint.de > ...
      adatum-myfiles.sharepoint.de > adatum.sharepoint.de > ...
      adatum-com.mail.protection.outlook.de N.81 N.82
      adatum.mail.protection.outlook.de N.81 N.82`,
  },
};

const linesOf = (text: string): readonly string[] => text.trim().split(/\n\s*/);

/** The chain that a name has from an office, written as in the tables. */
function chainFrom(office: string, name: string): string {
  const [from] = lab.configuration.networks.find((network) => network.name === office)?.prefixes ?? [];
  if (from === undefined) throw new Error(`there is no ${office}`);
  const question = { qname: nameOctets(nameOf(name)), qtype: TYPE.A, qclass: 1 };
  const found = resolve(lab, question, { address: from, via: "client-subnet" });
  if (found.kind !== "resolved" || found.rcode !== RCODE.NOERROR) return "no answer";
  const records = found.sections.answer.flatMap(formatRRset).map((line) => line.split(" "));
  const names = records.filter(([, , type]) => type === "CNAME").map((record) => record[3]?.slice(0, -1));
  const addresses = records.filter(([, , type]) => type === "A").map((record) => record[3]);
  return `${[name, ...names].join(" > ")} ${addresses.join(" ")}`;
}

const at = (row: string, { code, network }: Site): string =>
  row.replaceAll("SITE", code).replaceAll(" N.", ` ${network}.`);

describe.each(Object.entries(tables))("%s", (cloud, { nearest, home, byPlace, ofTenant }) => {
  const tenantRows = linesOf(ofTenant);
  const [first = ""] = tenantRows;
  const whole = tenantRows.map((row) => row.replace(/ > [^>]+ > \.\.\.$/, ` > ${first}`));

  test.each(linesOf(byPlace))("%s", (row) => {
    const [name = ""] = row.split(" ");
    expect(offices.map((office) => chainFrom(office, name))).toEqual(nearest.map((each) => at(row, each)));
  });

  test.each(whole)("%s from everywhere", (row) => {
    const [name = ""] = row.split(" ");
    for (const office of offices) expect(chainFrom(office, name)).toBe(at(row, home));
  });

  test("these are all its public names", () => {
    const found = lab.configuration.clouds.find(({ name }) => name === cloud);
    const [tenant] = found?.tenants ?? [];
    const key = tenant?.domains[0]?.replaceAll(".", "-") ?? "";
    const names = found?.services.flatMap(({ links }) => links[0]?.owners.map(({ text }) => text) ?? []);
    const filled = names?.map((text) =>
      text.replace(/\{(tenant|servedTenant)\}/, tenant?.label ?? "").replace("{domainKey}", key),
    );
    const listed = [...linesOf(byPlace), ...tenantRows].map((row) => row.split(" ")[0]);
    expect(filled?.toSorted()).toEqual(listed.toSorted());
  });
});

test("login.microsoftonline.us is one name for both clouds of the government", () => {
  const owners = lab.configuration.clouds.flatMap(({ name, services }) =>
    services.some(({ links }) => links[0]?.owners.some(({ text }) => text === "login.microsoftonline.us"))
      ? name
      : [],
  );
  expect(owners).toEqual(["USGovGCCHigh"]);
});
