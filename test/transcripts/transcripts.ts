/**
 * Published transcripts of Office 365 names, one row each, and the published pieces that no era repeats.
 *
 * A chain is written `name ttl > next`; the TTL is that of the records at the name. `~` before it: what a cache had left, so
 * the true one is that or more. No TTL: none was published. `...` stands for any number of names that were not, `*` for a
 * part of a name.
 */

import type { PlaceName } from "./lab.ts";

export interface Transcript {
  /** who asked when, as far as that is published */
  readonly title: string;
  readonly source: string;
  /** each of these repeats it: by service the era that is chosen in the cloud's file or in the settings */
  readonly eras: readonly Readonly<Record<string, string>>[];
  readonly from: PlaceName;
  /** where the chain does not begin with it */
  readonly asked?: string;
  readonly chain: string;
  /** how many addresses were at its end, where that is published */
  readonly a?: Count;
  readonly aaaa?: Count;
  /** whether these are the same for everyone */
  readonly atAnEdge?: true;
}

/** A number, or at least that. */
export type Count = number | `${number}+`;

export const transcripts: readonly Transcript[] = [
  // Exchange Online.
  {
    title: "North America west, 2014-10-17",
    source: "https://gist.github.com/phil-lavin/825116c9d3c4a9cc258b",
    eras: [{ exchange: "geodns-2014" }],
    from: "Los Angeles",
    chain:
      "outlook.office365.com > lb.geo.office365.com > outlook.office365.com.glbdns2.microsoft.com > outlook-namwest.office365.com",
    a: 11,
    aaaa: "1+",
  },
  {
    title: "UK, 2015-03-21",
    source: 'PUB "outlook-emeawest.office365.com if I ping"',
    eras: [{ exchange: "geodns-2014" }],
    from: "London",
    chain:
      "smtp.office365.com > smtp.outlook.office365.com > outlook.office365.com > lb.geo.office365.com > outlook.office365.com.glbdns2.microsoft.com > outlook-emeawest.office365.com",
    a: "8+",
  },
  {
    title: "New Zealand, 2016-07-23",
    source: 'PUB "outlook.office365.com.g.office365.com"',
    eras: [{ exchange: "geodns-2016" }],
    from: "Auckland",
    asked: "outlook.office365.com",
    chain: "... > lb.geo.office365.com > outlook.office365.com.g.office365.com > outlook-au.office365.com",
  },
  {
    title: "US, 2016 to 2018",
    source: 'PUB "lb.geo.office365.com||outlook-namsouth"',
    eras: [{ exchange: "geodns-2018" }],
    from: "Atlanta",
    chain: "lb.geo.office365.com > outlook-namsouth.office365.com",
    a: "1+",
  },
  {
    title: "Hong Kong, 2019-11-26",
    source: "https://github.com/MicrosoftDocs/OfficeDocs-Enterprise/issues/617",
    eras: [{ exchange: "acdc-2019" }],
    from: "Hong Kong",
    chain: "outlook.office365.com > outlook.ms-acdc.office.com > hkg-efz.ms-acdc.office.com",
    a: 4,
  },
  // Asked by Google's resolver, which Microsoft saw in western Europe.
  {
    title: "western Europe, 2020-12-30",
    source: "https://github.com/MicrosoftDocs/microsoft-365-docs/issues/3813",
    eras: [{ exchange: "acdc-2020" }],
    from: "London",
    chain:
      "smtp.office365.com > outlook.office365.com > outlook.ha.office365.com > outlook.ms-acdc.office.com > LHR-efz.ms-acdc.office.com",
    a: 4,
    aaaa: 4,
  },
  {
    title: "Amsterdam, about 2021",
    source: 'PUB "AMS-efz.ms-acdc.office.com"',
    eras: [{ exchange: "acdc-2021" }],
    from: "Amsterdam",
    chain:
      "outlook.office.com ~7 > substrate.office.com ~80 > outlook.office365.com ~147 > outlook.ha.office365.com ~11 > outlook.ms-acdc.office.com ~27 > AMS-efz.ms-acdc.office.com ~4",
    a: 4,
  },
  {
    title: "US north-west, about 2021",
    source: 'PUB "EAT-efz.ms-acdc.office.com"',
    eras: [{ exchange: "acdc-2020" }, { exchange: "acdc-2021" }],
    from: "Seattle",
    chain:
      "outlook.office365.com > outlook.ha.office365.com > outlook.ms-acdc.office.com > EAT-efz.ms-acdc.office.com",
    a: 4,
  },
  {
    title: "Thailand, 2025-07-27",
    source: 'PUB "KUL-efz.ms-acdc.office.com"',
    eras: [{ exchange: "acdc-2024" }],
    from: "Bangkok",
    chain:
      "outlook.office.com > substrate.office.com > outlook.office365.com > ooc-g2.tm-4.office.com > outlook.ms-acdc.office.com > KUL-efz.ms-acdc.office.com",
    a: 4,
  },
  {
    title: "US midwest, 2025 or 2026",
    source: 'PUB "mdw-efz.ms-acdc.office.com"',
    eras: [{ exchange: "mira-2025" }],
    from: "Chicago",
    chain:
      "outlook.office365.com ~289 > outlook.cloud.microsoft ~286 > acdcatm.outlook.mira.tm.svc.cloud.microsoft ~60 > outlook.ms-acdc.office.com ~58 > mdw-efz.ms-acdc.office.com ~8",
    a: 4,
  },
  // These TTLs are the original ones of signatures.
  {
    title: "2026-06",
    source: "https://github.com/0xERR0R/blocky/issues/2120",
    eras: [{ exchange: "mira-2025" }],
    from: "Frankfurt",
    chain:
      "outlook.office.com 60 > outlook.cloud.microsoft 300 > acdcatm.outlook.mira.tm.svc.cloud.microsoft 60 > outlook.ms-acdc.office.com > ...",
  },
  {
    title: "the apex of office.com, 2026-06",
    source: "https://github.com/0xERR0R/blocky/issues/2120",
    eras: [{ portal: "anycast-2024" }],
    from: "Frankfurt",
    chain: "office.com 10",
    a: 1,
    atAnEdge: true,
  },
  {
    title: "the form without a city, 2026",
    source: 'PUB "atm.outlook.mira.tm.svc.cloud.microsoft"',
    eras: [{ exchange: "mira-2025" }],
    from: "London",
    chain: "imap-mail.outlook.com > ... > atm.outlook.mira.tm.svc.cloud.microsoft",
    a: 8,
  },
  {
    title: "Dubai, 2026",
    source: 'PUB "atm.outlook.mira.tm.svc.cloud.microsoft"',
    eras: [{ exchange: "mira-2025" }],
    from: "Dubai",
    asked: "outlook.office365.com",
    chain: "... > acdcatm.outlook.mira.tm.svc.cloud.microsoft > ... > dxb-efz.ms-acdc.office.com",
  },

  // Autodiscover.
  {
    title: "before ACDC",
    source:
      "https://www.cisco.com/c/de_de/support/docs/security/umbrella/224916-using-ms-office-autodiscover-or-office.html",
    eras: [{ exchange: "geodns-2014" }, { exchange: "geodns-2016" }, { exchange: "geodns-2018" }],
    from: "London",
    chain: "autodiscover.outlook.com > autodiscover.outlook.com.glbdns.microsoft.com",
  },
  {
    title: "the Netherlands, 2019 to 2023",
    source: 'PUB "ms-acdc-autod.office.com"',
    eras: [{ exchange: "acdc-2019" }, { exchange: "acdc-2020" }, { exchange: "acdc-2021" }],
    from: "Amsterdam",
    chain: "autodiscover.outlook.com > autod.ha-autod.office.com > autod.ms-acdc-autod.office.com",
    a: 4,
  },
  {
    title: "2025-07",
    source: 'PUB "atod-g2.tm-4.office.com"',
    eras: [{ exchange: "acdc-2024" }],
    from: "Bangkok",
    chain: "autodiscover.outlook.com > atod-g2.tm-4.office.com",
    a: 8,
  },
  {
    title: "2026",
    source: 'PUB "atm.autodiscover.mira.tm.svc"',
    eras: [{ exchange: "mira-2025" }],
    from: "London",
    chain:
      "autodiscover.outlook.com > autodiscover.outlook.cloud.microsoft > acdcatm.autodiscover.mira.tm.svc.cloud.microsoft > autod.ms-acdc-autod.office.com",
  },

  // Portal, login, Teams.
  {
    title: "2016-02",
    source: "https://prezi.com/ueyhmkzs5fda/office-365-endpoints-and-microsofts-geo-dns/",
    eras: [{ portal: "msedge-2016" }],
    from: "London",
    chain: "portal.office.com > ... > b-0004.b-msedge.net",
    atAnEdge: true,
  },
  {
    title: "2024 or 2025",
    source: 'PUB "portal-office365-com.b-0004"',
    eras: [{ portal: "anycast-2024" }],
    from: "London",
    chain:
      "portal.office.com > admin-portal.office.com > portal-office365-com.b-0004.b-msedge.net > b-0004.b-msedge.net",
    a: 1,
    atAnEdge: true,
  },
  {
    title: "about 2026",
    source: 'PUB "home-office365-com.b-0004"',
    eras: [{ portal: "anycast-2024" }],
    from: "London",
    chain:
      "www.office.com > home-redirects.www.office.com > home-office365-com.b-0004.b-msedge.net > b-0004.b-msedge.net",
    atAnEdge: true,
  },
  {
    title: "2022-08-25",
    source: "https://github.com/Azure/azure-cli/issues/23657",
    eras: [{ login: "akadns-2022" }],
    from: "London",
    chain: "login.microsoftonline.com > ak.privatelink.msidentity.com > www.tm.ak.prd.aadg.akadns.net",
    a: 8,
  },
  {
    title: "2025 or 2026",
    source: 'PUB "www.tm.a.prd.aadg.akadns.net"',
    eras: [{ login: "privatelink-2025" }],
    from: "London",
    chain:
      "login.microsoftonline.com ~13547 > login.mso.msidentity.com ~300 > ak.privatelink.msidentity.com ~300 > www.tm.a.prd.aadg.akadns.net",
    a: "2+",
  },
  {
    title: "Europe, 2026-09-10",
    source: "https://github.com/bechoforest/MustMail/issues/49",
    eras: [{ login: "privatelink-2025" }],
    from: "Frankfurt",
    chain:
      "login.microsoft.com > a.privatelink.msidentity.com > prda.aadg.msidentity.com > www.tm.a.prd.aadg.akadns.net",
    aaaa: "2+",
  },
  // Nine IPv4 addresses are listed, not that one response held them.
  {
    title: "US, 2025-04-10",
    source: "https://github.com/microsoft/WSL/issues/12806",
    eras: [{ login: "privatelink-2025" }],
    from: "Chicago",
    chain: "login.microsoftonline.com > ...",
    a: "2+",
    aaaa: "2+",
  },
  {
    title: "2019-06",
    source: "https://github.com/MicrosoftDocs/OfficeDocs-Enterprise/issues/444",
    eras: [{ teams: "afd-2019" }],
    from: "London",
    chain: "teams.microsoft.com > teams-afd.trafficmanager.net > *.s-msedge.net",
    atAnEdge: true,
  },
  {
    title: "2023-11, and its address of 2019",
    source:
      "https://github.com/badmojr/1Hosts/issues/1614, https://github.com/MicrosoftDocs/OfficeDocs-Enterprise/issues/355",
    eras: [{ teams: "dual-2023" }],
    from: "London",
    asked: "teams.microsoft.com",
    chain: "... > teams-office-com.s-0005.dual-s-msedge.net > s-0005.dual-s-msedge.net",
    a: 1,
    atAnEdge: true,
  },

  // SharePoint and OneDrive.
  {
    title: "a tenant in Australia, 2015-03-31",
    source: 'PUB "prodnet324-328ipv4a0002"',
    eras: [{ sharepoint: "ipv4a-2015" }],
    from: "Sydney",
    chain: "lab-australia.sharepoint.com > prodnet324-328ipv4a0002.sharepointonline.com.akadns.net",
    a: 1,
  },
  {
    title: "a tenant in the UK, 2020 or 2021",
    source: "https://github.com/alanedwardes/Ae.Dns tests/Ae.Dns.Tests/Protocol/DnsAnswerTests.cs",
    eras: [{ sharepoint: "clump-2020" }],
    from: "London",
    chain:
      "alanedwardes-my.sharepoint.com 3600 > alanedwardes.sharepoint.com 3600 > 302-ipv4e.clump.dprodmgd104.aa-rt.sharepoint.com 30 > 187170-ipv4e.farm.dprodmgd104.aa-rt.sharepoint.com 60 > 187170-ipv4e.farm.dprodmgd104.sharepointonline.com.akadns.net 300 > 187170-ipv4.farm.dprodmgd104.aa-rt.sharepoint.com.spo-0004.spo-msedge.net 240 > spo-0004.spo-msedge.net 240",
    a: 1,
    atAnEdge: true,
  },
  // The reference to it shortens the names.
  {
    title: "a tenant in the Americas, 2020 or 2021",
    source: 'PUB "191092-ipv4e.farm"',
    eras: [{ sharepoint: "clump-2020" }],
    from: "Seattle",
    chain:
      "appslosrios.sharepoint.com > 41-ipv4e.clump.dprodmgd105.* > 191092-ipv4e.farm.dprodmgd105.* > *.akadns.net > ... > spo-0004.spo-msedge.net",
    a: 1,
    atAnEdge: true,
  },
  {
    title: "a tenant in the US, 2022 or 2023",
    source: "https://github.com/hypothesis/product-backlog/issues/1409",
    eras: [{ sharepoint: "clump-2022" }],
    from: "Chicago",
    chain:
      "lab-us-my.sharepoint.com 300 > lab-us.sharepoint.com 300 > 4318-ipv4v6e.clump.dprodmgd105.aa-rt.sharepoint.com ~59 > 192970-ipv4v6e.farm.dprodmgd105.aa-rt.sharepoint.com ~59 > 192970-ipv4v6e.farm.dprodmgd105.sharepointonline.com.akadns.net ~299 > 192970-ipv4v6.farm.dprodmgd105.aa-rt.sharepoint.com.dual-spo-0003.spo-msedge.net 240 > dual-spo-0003.spo-msedge.net ~79",
    a: 2,
    atAnEdge: true,
  },
  {
    title: "a tenant in Switzerland, 2022 or 2023",
    source: 'PUB "190171-ipv4v6e.farm"',
    eras: [{ sharepoint: "clump-2022" }],
    from: "Frankfurt",
    asked: "lab-swiss.sharepoint.com",
    chain:
      "... > 8740-ipv4v6e.clump.dprodmgd104.* > 190171-ipv4v6e.farm.dprodmgd104.* > ... > dual-spo-0003.spo-msedge.net",
    a: 2,
    atAnEdge: true,
  },

  // MX hosts.
  {
    title: "a tenant in NAM05, 2019-06-14",
    source: "https://github.com/iglvzx/gwhois.org/issues/28",
    eras: [{ "mail-exchanger": "protection-2019" }],
    from: "London",
    chain: "greatclips-com.mail.protection.outlook.com",
    a: 2,
  },
  {
    title: "a tenant in the US, 2019-04-14",
    source: 'PUB "glbdns.o365filtering.com"',
    eras: [{ "mail-exchanger": "protection-2019" }],
    from: "London",
    chain: "mit-edu.mail.protection.outlook.com 10",
    a: 2,
  },
  {
    title: "a tenant in Thailand, 2025",
    source: 'PUB "rmutl-ac-th.mail.protection"',
    eras: [{ "mail-exchanger": "protection-2025" }],
    from: "London",
    chain: "rmutl-ac-th.mail.protection.outlook.com",
    a: 4,
  },

  // Names of a customer's own domain; the one before azurefd.net's is not published, nor is all of azurefd.net's.
  {
    title: "autodiscover of a custom domain, 2026",
    source: 'PUB "ms-acdc-autod.office.com"',
    eras: [{ exchange: "mira-2025" }],
    from: "London",
    chain: "autodiscover.contoso.com 3600 > autodiscover.outlook.com > ...",
  },
  {
    title: "enterpriseenrollment of a custom domain, 2026",
    source: 'PUB "ms-acdc-autod.office.com"',
    eras: [{}],
    from: "London",
    chain:
      "enterpriseenrollment.contoso.com 3600 > enterpriseenrollment-s.manage.microsoft.com > manage-pe.trafficmanager.net > ... > s-part-00*.t-0009.t-s1-msedge.net",
    a: 1,
    atAnEdge: true,
  },
];

/** What is published, but in no era's answers. */
export interface LeftOut {
  readonly published: string;
  readonly source: string;
  readonly reason: string;
  /** names of it: none of them is served in any era */
  readonly names: readonly string[];
}

export const leftOut: readonly LeftOut[] = [
  {
    published: "hhn-efz, a front end in the chains of 2025",
    source: "https://github.com/badmojr/1Hosts/issues/2490",
    reason: "its place is unverified (an airport near Frankfurt by the code), and FRA stands for that city",
    names: ["hhn-efz.ms-acdc.office.com"],
  },
  {
    published:
      "outlook-exo in the chains of outlook.office365.com and autodiscover-s.outlook.com, US, 2021-12-10",
    source: "https://github.com/liamengland1/mischosts/issues/28",
    reason: "behind and before which names it stood is not published, nor to what it led",
    names: ["outlook-exo.trafficmanager.net"],
  },
  {
    published: "attachment.outlook.live.net as an alias of the form without a city, 2026",
    source: 'PUB "atm.outlook.mira.tm.svc.cloud.microsoft"',
    reason: "a name of the consumers' Outlook, in a zone that the lab does not serve",
    names: ["attachment.outlook.live.net"],
  },
  {
    published: "shed, a third form beside acdcatm and atm, 2026",
    source: 'PUB "shed.outlook.acdc.tm"',
    reason: "the name alone was in a log, without a chain",
    names: ["shed.outlook.acdc.tm.svc.cloud.microsoft"],
  },
  {
    published: "atm instead of acdcatm in the chain of autodiscover.outlook.com, 2026",
    source: 'PUB "atm.autodiscover.mira.tm.svc"',
    reason: "who gets which of the two is not published; the era mira-2025 has acdcatm",
    names: ["atm.autodiscover.mira.tm.svc.cloud.microsoft"],
  },
  {
    published: "portal.office.com ends at f-0001 for some resolvers, 2016-02",
    source: "https://prezi.com/ueyhmkzs5fda/office-365-endpoints-and-microsofts-geo-dns/",
    reason: "for which ones is not published; the era msedge-2016 has the other end for everyone",
    names: ["f-0001.f-msedge.net"],
  },
  {
    published: "edges that are prepared as fallbacks, 2025-08",
    source: "https://github.com/badmojr/1Hosts/issues/2478",
    reason: "no chain that leads to them is published",
    names: ["b-0004.b-dc-msedge.net", "s-0005.dual-s-dc-msedge.net", "spo-9999.spo-dc-msedge.net"],
  },
  {
    published: "the end of login.microsoftonline.com at trafficmanager.net, 2025 or 2026",
    source: 'PUB "www.tm.a.prd.aadg.akadns.net"',
    reason:
      "who gets it and who the one at akadns.net is not published; the era privatelink-2025 has the latter",
    names: ["www.tm.a.prd.aadg.trafficmanager.net"],
  },
  {
    published:
      "names under gr.global.aa-rt.sharepoint.com, and dual-spo-0005 with two addresses, 2023 to 2026",
    source: 'PUB "ipv4v6fdse.gr.global", PUB "dual-spo-0005"',
    reason: "from which tenants' names they come, and how many are between, is not published",
    names: ["1-ipv4v6fdse.gr.global.aa-rt.sharepoint.com", "dual-spo-0005.spo-msedge.net"],
  },
  {
    published: "the consumers' MX host with four addresses, TTL about 10, since 2024",
    source: "https://www.whatsmydns.net/dns-lookup?query=msn-com.olc.protection.outlook.com&server=google",
    reason: "no tenant's name: it belongs to Outlook.com, which the lab does not have",
    names: ["msn-com.olc.protection.outlook.com"],
  },
];
