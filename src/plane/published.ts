/** What worker threads are given of a snapshot: tables in shared memory, and a few settings. */

import type { ClockAnchor } from "../clock.ts";
import type { TenantNamesMemory } from "../cloud/tenant-names.ts";
import type { CookieSecrets } from "../dns/cookie.ts";
import type { FamilyTables } from "../geo/family-tables.ts";
import type { IpAddress, IpPrefix } from "../ip.ts";
import type { AnswerTableMemory } from "./answer-table.ts";

/** Can be posted to a thread; shared memory is then the same there. */
export interface Published {
  /** counts up with each publication */
  readonly sequence: number;
  /** the version of the snapshot */
  readonly snapshot: number;
  readonly answers: AnswerTableMemory;
  /** by the number of a set of candidates, the location class of each address */
  readonly deciders: readonly FamilyTables[];
  readonly locations: PublishedLocations;
  readonly clientSubnetTrust: "all" | "none" | readonly IpPrefix[];
  /** of the server, which no response over UDP exceeds */
  readonly udpPayloadSize: number;
  readonly tenants: PublishedTenants | undefined;
  readonly cookies: PublishedCookies | undefined;
  readonly time: ClockAnchor;
  /** by the number of the listener */
  readonly listeners: readonly PublishedListener[];
}

/** The names of tenants, and who of them have the same answers but for the name. */
export interface PublishedTenants {
  readonly names: TenantNamesMemory;
  /** by the number of a shape, of tenants that are served as configured */
  readonly classesOfShapes: Uint16Array;
  /** by row, of those that are not: a class + 1, else 0 */
  readonly classesOfMoved: Uint16Array | undefined;
}

/** How queries with a cookie are answered; undefined where as those without. */
export interface PublishedCookies {
  readonly secrets: CookieSecrets;
  /** whether one over UDP whose server cookie is bad is not answered */
  readonly isRequired: boolean;
}

/** Where each address is, and what is counted and noted of that. */
export interface PublishedLocations extends FamilyTables {
  /** by location, the number of its kind */
  readonly kinds: Uint8Array;
  /** by location, the id of its name in the journal */
  readonly ids: Uint32Array;
}

/** What a listener says of everybody who asks there. */
export interface PublishedListener {
  readonly vantage: IpAddress | undefined;
  readonly ignoresClientSubnet: boolean;
}
