/** Everything the configuration says, checked: what `loadConfig` returns and a snapshot is made from. */

import type { DomainRules } from "../cloud/custom-domain.ts";
import type { Cloud } from "../cloud/service.ts";
import type { TailoredName } from "../cloud/tailored-name.ts";
import type { DomainName } from "../dns/name.ts";
import type { PlaceOverrides } from "../geo/location-table.ts";
import type { Country, Place } from "../geo/place.ts";
import type { Endpoint, IpPrefix } from "../ip.ts";
import type { Quirks } from "../zone/quirks.ts";
import type { Zones } from "../zone/zone.ts";
import type { LintRule } from "./lint-rules.ts";
import type { FilePlace } from "./yaml-document.ts";

export interface Configuration {
  readonly settings: Settings;
  readonly networks: readonly Network[];
  /** by ISO 3166 alpha-2 code */
  readonly countries: ReadonlyMap<string, Country>;
  readonly clouds: readonly Cloud[];
  /** by cloud, what stands at custom domains; of clouds that are switched off too */
  readonly domainRules: ReadonlyMap<string, DomainRules>;
  readonly zones: Zones<TailoredName>;
  /** apexes of those that are wider than a lab can spare */
  readonly wideZones: ReadonlySet<DomainName>;
  /** by apex, the quirks of those that have any */
  readonly quirks: ReadonlyMap<DomainName, Quirks>;
  /** the files of YAML read, the first one first */
  readonly files: readonly string[];
  /** the files that they name: master files and what those include, latency tables, handlers */
  readonly namedFiles: readonly string[];
}

export interface Settings {
  readonly listen: readonly ListenerSettings[];
  readonly answer: "full" | "first-cname";
  /** octets */
  readonly udpPayloadSize: number;
  /** `version.bind` in class CHAOS; empty: refused */
  readonly version: string;
  /** `id.server` and `hostname.bind` in class CHAOS, and the NSID; empty: refused, and no NSID */
  readonly identity: string;
  /** DNS Cookies: answered, asked for over UDP by BADCOOKIE, or ignored (RFC 7873 §5.2.3) */
  readonly cookies: "accept" | "require" | "off";
  /** 16 octets each, the current one first; none: that of the state file */
  readonly cookieSecrets: readonly Uint8Array[];
  /** whether answers are explained in band: by the name `_explain.NAME`, and by a text in each answer that was chosen */
  readonly explain: { readonly txt: boolean; readonly extendedErrors: boolean };
  readonly nameservers: Nameservers;
  readonly tcp: {
    readonly idleSeconds: number;
    readonly maxConnections: number;
    /** of one IPv4 address or IPv6 /64 */
    readonly maxConnectionsPerAddress: number;
  };
  readonly clientSubnetTrust: "all" | "none" | readonly IpPrefix[];
  readonly geoipDatabase:
    | { readonly kind: "embedded" | "none" }
    | {
        readonly kind: "file";
        readonly path: string;
        readonly place: FilePlace;
        readonly sourceLine: string;
      };
  readonly defaultPlace: Place;
  readonly location: LocationSettings;
  /** which queries are logged: all, none, or one in N */
  readonly loggedQueries: "all" | "off" | number;
  /** how many of the last queries the journal keeps; 0: none */
  readonly journalQueries: number;
  /** where state is kept; by default `.geodns365/state.json` beside the first file, or `.geodns365/lab.state.json` beside a `lab.yaml` */
  readonly stateFile:
    | { readonly kind: "default" }
    | { readonly kind: "file"; readonly path: string }
    | { readonly kind: "none" };
  readonly admin: AdminSettings | "off";
  /** what `check --strict` does not warn of */
  readonly silencedRules: readonly LintRule[];
}

export interface AdminSettings {
  /** undefined: the default, which may be missing where it cannot be bound */
  readonly listen: readonly Endpoint[] | undefined;
  /** SHA-256 in hex; undefined: no token is needed */
  readonly tokenHash: string | undefined;
  /** further names that it is asked by */
  readonly hosts: readonly string[];
}

/** An endpoint to listen on, and what it says of those who ask there. */
export interface ListenerSettings extends Endpoint {
  /** what stands in for the source address of a query */
  readonly vantage?: VantageSettings;
  /** whether no client subnet counts here, whoever sends it */
  readonly ignoresClientSubnet?: true;
}

/** A network by its name, which is looked up in the snapshot that serves, or a prefix. */
export type VantageSettings =
  | { readonly kind: "network"; readonly network: string }
  | { readonly kind: "prefix"; readonly prefix: IpPrefix };

/** How addresses are located. */
export interface LocationSettings extends PlaceOverrides {
  /** whether networks do; without them they are only names that rules may use */
  readonly byNetworks: boolean;
  /** whether GeoIP does */
  readonly byGeoip: boolean;
  /** who is located by neither is at the default place, or has no answer where a place decides */
  readonly unlocated: "default" | "nodata" | "refused";
}

/** Addresses of the name servers of every zone, as octets. */
export interface Nameservers {
  readonly ns1: readonly Uint8Array[];
  readonly ns2: readonly Uint8Array[];
}

export type NetworkKind = "office" | "vpn" | "expressroute";

/** A named set of prefixes in the lab. */
export interface Network {
  readonly name: string;
  readonly kind: NetworkKind;
  readonly prefixes: readonly IpPrefix[];
  readonly place: Place;
}
