/** The answers that `init` asks for, as text and checked: offices, tenants, where to listen and which clouds. */

import { suggest } from "../config/documents.ts";
import { parseLocatedPrefix } from "../config/located-prefix.ts";
import { cutFound } from "../config/printable.ts";
import { type Endpoint, formatPrefix, parseEndpoint } from "../ip.ts";
import {
  type City,
  findCity,
  folded,
  type Shipped,
  type ShippedCloud,
  type ShippedDatacenter,
} from "./shipped.ts";

export interface Answers {
  readonly offices: readonly Office[];
  readonly tenants: readonly Tenant[];
  readonly listen: Endpoint;
  readonly clouds: readonly ShippedCloud[];
}

export interface Office {
  readonly name: string;
  /** in presentation form */
  readonly prefixes: readonly string[];
  readonly place: City;
}

export interface Tenant {
  readonly name: string;
  readonly geo: string;
  readonly active: ShippedDatacenter;
  readonly standby: ShippedDatacenter | undefined;
}

export const OFFICE_FORM = "NAME=PREFIX@CITY,COUNTRY[,LATITUDE,LONGITUDE]";
export const TENANT_FORM = "NAME=DATACENTER[,STANDBY]";
export const defaultListen: Endpoint = { address: "127.0.0.1", family: 4, port: 5300 };

/** What names of networks and tenants are made of: the schema's rule, told before anything is written. */
const label = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const badLabel = (text: string): string =>
  `"${cutFound(text)}" is no name of letters, digits and inner hyphens`;

/** `oslo=10.20.0.0/16,2001:db8:20::/48@Oslo,NO`; a sentence where it is none, or in the way of one before. */
export function parseOffice(text: string, before: readonly Office[], shipped: Shipped): Office | string {
  const [, name = "", prefixText = "", placeText = ""] = /^([^=]*)=(.*)@([^@]*)$/.exec(text) ?? [];
  if (placeText === "") return `"${cutFound(text)}" is not ${OFFICE_FORM}, like oslo=10.20.0.0/16@Oslo,NO`;
  if (!label.test(name.trim())) return badLabel(name.trim());
  if (before.some((office) => office.name === name.trim()))
    return `there is an office ${name.trim()} already`;
  const prefixes: string[] = [];
  for (const part of split(prefixText)) {
    const prefix = parseLocatedPrefix(part);
    if (typeof prefix === "string") return prefix;
    const written = formatPrefix(prefix);
    const owner = before.find((office) => office.prefixes.includes(written))?.name;
    if (owner !== undefined || prefixes.includes(written))
      return `${written} belongs to office ${owner ?? name.trim()} already`;
    prefixes.push(written);
  }
  const place = parsePlace(placeText, shipped);
  return typeof place === "string" ? place : { name: name.trim(), prefixes, place };
}

/** A city that is known here, or any with its coordinates. */
function parsePlace(text: string, shipped: Shipped): City | string {
  const [city = "", countryText, latitude, longitude, ...more] = split(text);
  const country = countryText?.toUpperCase();
  if (city === "" || more.length > 0 || (latitude !== undefined && longitude === undefined))
    return `"${cutFound(text)}" is not CITY,COUNTRY[,LATITUDE,LONGITUDE], like Oslo,NO or Tromso,NO,69.65,18.96`;
  if (country !== undefined && !shipped.countries.has(country))
    return `"${cutFound(country)}" is no country; give its ISO 3166 code of two letters, like GB for the United Kingdom`;
  if (country === undefined || latitude === undefined || longitude === undefined)
    return findCity(shipped, city, country);
  const coordinates = [degrees(latitude, 90), degrees(longitude, 180)] as const;
  const [north, east] = coordinates;
  if (north === undefined || east === undefined)
    return `"${cutFound(`${latitude},${longitude}`)}" are no coordinates: latitude from -90 to 90 and longitude from -180 to 180, in degrees`;
  return { city, country, coordinates: [north, east] };
}

function degrees(text: string, limit: number): number | undefined {
  const value = /^[+-]?\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= limit ? value : undefined;
}

/** `contoso=dub,ams` or `contoso=Dublin,Amsterdam`; a sentence where it is none, or in the way of one before. */
export function parseTenant(
  text: string,
  before: readonly Tenant[],
  { clouds }: Shipped,
  asked: readonly ShippedCloud[] = [],
): Tenant | string {
  const [, name = "", placesText = ""] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  const [activeText = "", standbyText, ...more] = split(placesText);
  if (activeText === "" || more.length > 0)
    return `"${cutFound(text)}" is not ${TENANT_FORM}, like contoso=dub,ams or contoso=Dublin,Amsterdam`;
  if (!label.test(name.trim())) return badLabel(name.trim());
  if (before.some((tenant) => folded(tenant.name) === folded(name.trim())))
    return `there is a tenant ${name.trim()} already`;
  const active = findTenantsDatacenter(clouds, activeText, asked);
  if (typeof active === "string") return active;
  const home = clouds.filter((cloud) => cloud.name === active.cloud);
  const standby = standbyText === undefined ? undefined : findTenantsDatacenter(home, standbyText);
  if (typeof standby === "string") return `${standby} (tenants of ${active.cloud} stay in it)`;
  if (standby === active)
    return `the standby of ${name.trim()} is where it is active; name another datacenter`;
  if (active.geo === undefined)
    return `datacenter ${activeText} says no geo, so no tenant's home can be there`;
  return { name: name.trim(), geo: active.geo, active, standby };
}

/** By id, by id with its cloud, or by city; a cloud that was asked for counts before others, and one that is on before one that is off. */
function findTenantsDatacenter(
  clouds: readonly ShippedCloud[],
  text: string,
  asked: readonly ShippedCloud[] = [],
): ShippedDatacenter | string {
  const wanted = folded(text);
  const on = clouds.filter(({ isOff }) => !isOff);
  let frontEnd: ShippedDatacenter | undefined;
  for (const group of [asked, on, clouds]) {
    const all = group.flatMap(({ datacenters }) => datacenters);
    const byId = ({ cloud, id }: ShippedDatacenter): boolean =>
      folded(id) === wanted || folded(`${cloud}/${id}`) === wanted;
    const meant = all.filter((each) => byId(each) || folded(each.city) === wanted);
    const holders = meant.filter(({ holdsTenants }) => holdsTenants);
    const [found, another] = holders.some(byId) ? holders.filter(byId) : holders;
    if (found !== undefined && another === undefined) return found;
    if (found !== undefined)
      return `"${text}" is several datacenters; say which: ${holders.map(idWithCloud).join(" or ")}`;
    frontEnd ??= meant[0];
  }
  const holders = clouds.flatMap(({ datacenters }) => datacenters).filter(({ holdsTenants }) => holdsTenants);
  if (frontEnd !== undefined) {
    const { cloud, geo, city } = frontEnd;
    const near = holders.filter((each) => each.cloud === cloud && each.geo === geo);
    const instead = near.length === 0 ? "" : `; in ${geo} there are ${near.map(({ id }) => id).join(", ")}`;
    return `${idWithCloud(frontEnd)} (${city}) is a front end and holds no tenants${instead}`;
  }
  const known = suggest(
    text,
    holders.flatMap(({ id, city }) => [city, id]),
  );
  return `"${cutFound(text)}" is no datacenter, and no city of one${known}`;
}

const idWithCloud = ({ cloud, id }: ShippedDatacenter): string => `${cloud}/${id}`;

export function parseCloud(text: string, { clouds }: Shipped): ShippedCloud | string {
  const found = clouds.find(({ name }) => folded(name) === folded(text));
  const names = clouds.map(({ name }) => name);
  return found ?? `"${cutFound(text)}" is no cloud${suggest(text, names)}`;
}

/** `127.0.0.1:5300 Worldwide China`, either part of it; what is left out stays as it would be without an answer. */
export function parseListenAndClouds(
  text: string,
  shipped: Shipped,
): Pick<Partial<Answers>, "listen" | "clouds"> | string {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const [first = ""] = words;
  const listen = /[:.[]/.test(first) ? parseListen(first) : undefined;
  if (typeof listen === "string") return listen;
  const clouds: ShippedCloud[] = [];
  for (const word of listen === undefined ? words : words.slice(1)) {
    const cloud = parseCloud(word, shipped);
    if (typeof cloud === "string") return cloud;
    clouds.push(cloud);
  }
  return { ...(listen && { listen }), ...(clouds.length > 0 && { clouds }) };
}

/** Port 0 is any port, which no written line could name. */
export function parseListen(text: string): Endpoint | string {
  const endpoint = parseEndpoint(text);
  if (typeof endpoint === "string" || endpoint.port > 0) return endpoint;
  return `"${text}" is another port at each start; name one, like 5300`;
}

/** Those asked for, or Worldwide and those of the tenants; a sentence where a tenant's would be left out. */
export function cloudsFor(
  given: readonly ShippedCloud[],
  tenants: readonly Tenant[],
  { clouds }: Shipped,
): readonly ShippedCloud[] | string {
  const [largest] = clouds;
  const wanted = new Set(given.length > 0 ? given : largest === undefined ? [] : [largest]);
  const homeless = tenants.find(({ active }) => ![...wanted].some(({ name }) => name === active.cloud));
  if (given.length > 0 && homeless !== undefined) {
    const { cloud, id } = homeless.active;
    return `tenant ${homeless.name} lives in ${cloud}/${id}, and ${cloud} is not among the clouds; add it`;
  }
  for (const cloud of clouds)
    if (tenants.some(({ active }) => active.cloud === cloud.name)) wanted.add(cloud);
  return clouds.filter((cloud) => wanted.has(cloud));
}

const split = (text: string): readonly string[] => text.split(",").map((part) => part.trim());
