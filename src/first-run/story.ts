/**
 * The story of Microsoft's page "Client connectivity", told by a server: each question with what its answer is to say.
 * Networks, names and datacenters are those of the default lab.
 */

/** A part of the story: what it is about, what is done, and what is asked then. */
export interface Scene {
  readonly title: string;
  readonly beats: readonly Beat[];
}

export type Beat =
  | { readonly kind: "say"; readonly sentence: string }
  | { readonly kind: "ask"; readonly question: Question }
  | { readonly kind: "do"; readonly deed: Deed };

/** What an operator does, and what time does. */
export type Deed =
  | { readonly kind: "set"; readonly datacenter: string; readonly state: "down"; readonly forSeconds: number }
  | { readonly kind: "failback"; readonly tenant: string }
  | { readonly kind: "wait"; readonly seconds: number };

export interface Question {
  readonly name: string;
  /** who asks: a network whose first prefix is the client subnet */
  readonly network: string;
  /** whose data the front end passes on to, where that is told too */
  readonly tenant?: string;
  readonly claim: Claim;
}

/** What the answer is to say. */
export interface Claim {
  /** who was chosen, and whose all addresses are; no name on the way is one of another cloud */
  readonly datacenter: string;
  /** a name that the chain runs through */
  readonly through: string;
  /** what kind of network it is located by; an office where absent */
  readonly networkKind?: "vpn" | "expressroute";
  /** where the front end passes on to */
  readonly secondHop?: string;
}

const outlook = "outlook.office365.com";
const sharepoint = "contoso.sharepoint.com";

const say = (sentence: string): Beat => ({ kind: "say", sentence });
const ask = (question: Question): Beat => ({ kind: "ask", question });
const perform = (deed: Deed): Beat => ({ kind: "do", deed });

const fromLondon = (datacenter: string, through: string): Beat =>
  ask({ name: outlook, network: "london-office", claim: { datacenter, through } });

const contosoIn = (datacenter: string, through: string): Beat =>
  ask({ name: sharepoint, network: "sydney-office", claim: { datacenter, through } });

const DUBLIN = "4416-ipv4v6e.clump.dprodmgd104.aa-rt.sharepoint.com.";
const AMSTERDAM = "4320-ipv4v6e.clump.dprodmgd104.aa-rt.sharepoint.com.";

export const story: readonly Scene[] = [
  {
    title: "The nearest front end",
    beats: [
      say("Where a name leads depends on where the question comes from: London gets a front end in London."),
      fromLondon("Worldwide/lhr", "LHR-efz.ms-acdc.office.com."),
      say("The same question from Sydney; contoso's mailboxes are in Dublin, so the front end passes on."),
      ask({
        name: outlook,
        network: "sydney-office",
        tenant: "contoso",
        claim: {
          datacenter: "Worldwide/syd",
          through: "SYD-efz.ms-acdc.office.com.",
          secondHop: "Worldwide/dub",
        },
      }),
    ],
  },
  {
    title: "The tenant's active datacenter",
    beats: [
      say("SharePoint goes to where the data is: contoso's is in Dublin, for Sydney as for everyone."),
      contosoIn("Worldwide/dub", DUBLIN),
    ],
  },
  {
    title: "A sovereign cloud",
    beats: [
      say("China's cloud has names and datacenters of its own, and leads to no other, from London either."),
      ask({
        name: "portal.partner.microsoftonline.cn",
        network: "london-office",
        claim: {
          datacenter: "China/bjs",
          through: "BJS-portal.partner.microsoftonline.cn.",
        },
      }),
    ],
  },
  {
    title: "Behind a VPN",
    beats: [
      say("Behind a VPN the VPN's DNS servers ask, so Seattle decides, wherever the client is."),
      ask({
        name: outlook,
        network: "seattle-vpn",
        claim: { datacenter: "Worldwide/eat", through: "EAT-efz.ms-acdc.office.com.", networkKind: "vpn" },
      }),
    ],
  },
  {
    title: "ExpressRoute",
    beats: [
      say("ExpressRoute is another path to the same place: the names and the answer are the ordinary ones."),
      ask({
        name: outlook,
        network: "frankfurt-expressroute",
        claim: {
          datacenter: "Worldwide/fra",
          through: "FRA-efz.ms-acdc.office.com.",
          networkKind: "expressroute",
        },
      }),
    ],
  },
  {
    title: "An outage",
    beats: [
      say("London and Dublin go dark for ten minutes. The clock stands still, so it is exact."),
      perform({ kind: "set", datacenter: "lhr", state: "down", forSeconds: 600 }),
      perform({ kind: "set", datacenter: "dub", state: "down", forSeconds: 600 }),
      say("The next question from London gets the next front end."),
      fromLondon("Worldwide/cdg", "CDG-efz.ms-acdc.office.com."),
      say("And contoso has failed over to its standby, Amsterdam."),
      contosoIn("Worldwide/ams", AMSTERDAM),
      perform({ kind: "wait", seconds: 600 }),
      say("The ten minutes are over, and London is answered by London again."),
      fromLondon("Worldwide/lhr", "LHR-efz.ms-acdc.office.com."),
      say("A tenant stays where it is until somebody takes it back."),
      contosoIn("Worldwide/ams", AMSTERDAM),
      perform({ kind: "failback", tenant: "contoso" }),
      contosoIn("Worldwide/dub", DUBLIN),
    ],
  },
];
