/** Why a name has the answer that it has, from one place: the trace of a real answer, in words of the field. */

import { answer } from "./answer.ts";
import type { Choice, Reason } from "./cloud/choose.ts";
import { type DatacenterState, stateOf } from "./cloud/states.ts";
import type { Datacenter, Tenant, TenantGeo } from "./cloud/topology.ts";
import type { NetworkKind } from "./config/configuration.ts";
import { CLASS, formatRcode, formatType } from "./dns/iana.ts";
import { formatRRset, type RRset } from "./dns/message.ts";
import { formatName } from "./dns/name.ts";
import { renderQuery } from "./dns/render.ts";
import { greatCircleKilometres } from "./geo/distance.ts";
import { locateAddress } from "./geo/location-table.ts";
import type { Place } from "./geo/place.ts";
import { formatPrefix, type IpPrefix, prefixOf } from "./ip.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Resolution, Tailoring } from "./trace.ts";

export interface ExplainRequest {
  /** wire format */
  readonly qname: Uint8Array;
  readonly qtype: number;
  /** the client subnet that a resolver passes on */
  readonly from: IpPrefix;
  /** the tenant whose datacenter a second hop goes to */
  readonly tenant: Tenant | undefined;
}

export interface Explanation {
  readonly question: { readonly name: string; readonly type: string };
  readonly from: string;
  readonly location: ExplainedLocation;
  readonly rcode: string;
  /** undefined where no name on the way is tailored */
  readonly decision: Decision | undefined;
  readonly records: readonly ExplainedRecord[];
  /** SOA or NS records of an answer without addresses */
  readonly authority: readonly string[];
  readonly scope: {
    readonly prefixLength: number;
    readonly prefix: string | undefined;
    readonly because: string;
  };
  readonly secondHop: SecondHop | undefined;
}

export interface ExplainedLocation {
  readonly rule: "network" | "geoip" | "default";
  /** the name of the network, or the country */
  readonly name: string | undefined;
  readonly kind: NetworkKind | undefined;
  readonly place: Place;
  /** the widest prefix around the client subnet that is located by the same rule to the same place */
  readonly prefix: string;
  readonly remark: string | undefined;
}

export interface Decision {
  readonly cloud: string;
  readonly service: string;
  readonly era: string | undefined;
  readonly policy: string;
  readonly datacenter: string | undefined;
  readonly city: string | undefined;
  readonly reason: Reason;
  readonly because: string;
  /** nearest-datacenter: everyone considered, the nearest first */
  readonly candidates: readonly ExplainedCandidate[];
  /** active-datacenter: whose datacenter it is */
  readonly tenant: ExplainedTenant | undefined;
}

export interface ExplainedCandidate {
  readonly id: string;
  readonly city: string | undefined;
  readonly kilometres: number;
  readonly state: DatacenterState;
  readonly chosen: boolean;
}

export interface ExplainedTenant {
  readonly name: string;
  readonly geo: string;
  readonly active: string;
  readonly activeState: DatacenterState;
  readonly standby: string | undefined;
  readonly standbyState: DatacenterState | undefined;
}

export interface ExplainedRecord {
  readonly record: string;
  readonly zone: string;
  /** how the name got this record */
  readonly how: "published" | "by place" | "by tenant";
  readonly invented: boolean;
}

export interface SecondHop {
  readonly tenant: string | undefined;
  readonly frontEnd: string;
  readonly target: string | undefined;
  readonly because: string;
}

export function explain(snapshot: Snapshot, { qname, qtype, from, tenant }: ExplainRequest): Explanation {
  const address = { family: from.family, octets: from.octets };
  const message = renderQuery(
    { qname, qtype, qclass: CLASS.IN },
    { id: 0, recursionDesired: false, edns: { udpPayloadSize: 1232, dnssecOk: false, subnet: from } },
  );
  const { trace } = answer(snapshot, message, { address, port: 53, transport: "tcp" }, 0);
  if (trace.kind !== "answer") throw new Error(`a well-formed query was not answered: ${trace.reason}`);
  const { resolution } = trace;
  const { location, prefixLength } = locateAddress(snapshot.locations, address);
  const network =
    location.kind === "network"
      ? snapshot.configuration.networks.find(({ name }) => name === location.network)
      : undefined;
  const tailoring = resolution.hops.findLast((hop) => hop.tailoring !== undefined)?.tailoring;
  return {
    question: { name: formatName(qname), type: formatType(qtype) },
    from: formatPrefix(from),
    location: {
      rule: location.kind,
      name: network?.name ?? (location.kind === "geoip" ? location.country : undefined),
      kind: network?.kind,
      place: location.place,
      prefix: formatPrefix(prefixOf(address, prefixLength)),
      remark: network === undefined ? undefined : networkRemarks[network.kind],
    },
    rcode: formatRcode(resolution.rcode),
    decision: tailoring && explainDecision(snapshot, tailoring, location.place),
    records: explainRecords(resolution),
    authority: resolution.sections.authority.flatMap(formatRRset),
    scope: explainScope(resolution, from),
    secondHop: tailoring && explainSecondHop(snapshot, tailoring, tenant),
  };
}

const networkRemarks: Readonly<Record<NetworkKind, string | undefined>> = {
  office: undefined,
  vpn: "a VPN: its DNS servers ask for the clients behind it, so the place of the VPN decides, wherever they are",
  expressroute:
    "ExpressRoute changes the path of the traffic, not the names and answers: the answer is the ordinary one",
};

const reasonsInWords: Readonly<Record<Reason, string>> = {
  nearest: "it is the nearest, and up",
  "next-nearest": "it is the nearest that is up; nearer ones are down or draining",
  "only-draining-left": "none is up, and it is the nearest that is draining",
  active: "it is the tenant's active datacenter",
  standby: "the tenant's active datacenter is down, so its standby answers",
  "all-down": "all are down, and whenAllDown decides",
};

function explainDecision(snapshot: Snapshot, tailoring: Tailoring, place: Place): Decision {
  const { tailored, choice, locationClass } = tailoring;
  const { service, bindings } = tailored;
  const chosen = chosenDatacenter(choice);
  return {
    cloud: service.cloud,
    service: service.name,
    era: service.era,
    policy: service.policy,
    datacenter: chosen?.id,
    city: chosen?.place.city,
    reason: choice.reason,
    because: reasonsInWords[choice.reason],
    candidates: (locationClass?.datacenters ?? []).map((datacenter) => ({
      id: datacenter.id,
      city: datacenter.place.city,
      kilometres: Math.round(greatCircleKilometres(place.coordinates, datacenter.place.coordinates)),
      state: stateOf(snapshot.states, datacenter),
      chosen: datacenter === chosen,
    })),
    tenant: bindings.tenant && explainTenant(snapshot, bindings.tenant),
  };
}

function explainTenant(snapshot: Snapshot, { label, geo, active, standby }: TenantGeo): ExplainedTenant {
  return {
    name: label,
    geo,
    active: active.id,
    activeState: stateOf(snapshot.states, active),
    standby: standby?.id,
    standbyState: standby && stateOf(snapshot.states, standby),
  };
}

const chosenDatacenter = (choice: Choice): Datacenter | undefined =>
  choice.kind === "datacenter" ? choice.datacenter : undefined;

function explainRecords({ hops, sections }: Resolution): readonly ExplainedRecord[] {
  const answered = new Set<RRset>(sections.answer);
  return hops.flatMap(({ rrset, zone, tailoring }) => {
    if (rrset === undefined || !answered.has(rrset)) return [];
    const how =
      tailoring === undefined
        ? "published"
        : tailoring.locationClass === undefined
          ? "by tenant"
          : "by place";
    const invented = tailoring?.tailored.service.links[tailoring.tailored.linkIndex]?.invented ?? false;
    return formatRRset(rrset).map((record) => ({ record, zone, how, invented }) as const);
  });
}

function explainScope({ hops, scopePrefixLength, rcode }: Resolution, from: IpPrefix): Explanation["scope"] {
  const decider = hops.find((hop) => hop.tailoring?.locationClass?.prefixLength === scopePrefixLength);
  if (scopePrefixLength > 0 && decider !== undefined) {
    const prefix = formatPrefix(prefixOf({ family: from.family, octets: from.octets }, scopePrefixLength));
    const because = `every address in ${prefix} has the same ordered list of datacenters at ${decider.name}, and one bit more would not`;
    return { prefixLength: scopePrefixLength, prefix, because };
  }
  const placeless = hops.some((hop) => hop.tailoring !== undefined)
    ? "the tenant decides, not the place"
    : rcode === 0
      ? "the records are the same for everyone"
      : "an answer without records is the same for everyone";
  return { prefixLength: 0, prefix: undefined, because: placeless };
}

/** Exchange's second hop: the front end near the client proxies to the datacenter that is active for the tenant. */
function explainSecondHop(
  snapshot: Snapshot,
  { tailored, choice }: Tailoring,
  tenant: Tenant | undefined,
): SecondHop | undefined {
  const frontEnd = chosenDatacenter(choice);
  if (!tailored.service.hasSecondHop || frontEnd === undefined) return undefined;
  const home = tenant?.geos[0];
  if (tenant === undefined || home === undefined) {
    return {
      tenant: undefined,
      frontEnd: frontEnd.id,
      target: undefined,
      because: "it depends on the tenant",
    };
  }
  if (tenant.cloud !== tailored.service.cloud) {
    const because = `${tenant.name} is a tenant of ${tenant.cloud}, which has names of its own`;
    return { tenant: tenant.name, frontEnd: frontEnd.id, target: undefined, because };
  }
  const { active, standby } = home;
  const activeIsDown = stateOf(snapshot.states, active) === "down";
  const target = activeIsDown && standby !== undefined ? standby : active;
  const because = `${target.place.city} is ${activeIsDown && standby !== undefined ? "standby" : "active"} for ${tenant.name}`;
  return { tenant: tenant.name, frontEnd: frontEnd.id, target: target.id, because };
}
