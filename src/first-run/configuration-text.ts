/** Answers as a configuration: commented YAML, the same for the same answers. */

import { dirname, isAbsolute, relative, sep } from "node:path";
import { type Endpoint, formatEndpoint } from "../ip.ts";
import type { Answers, Office, Tenant } from "./answers.ts";
import type { City, Shipped } from "./shipped.ts";

export interface TextOptions {
  /** where the file is to be, an absolute path */
  readonly folder: string;
  readonly shipped: Shipped;
}

export function configurationText(answers: Answers, { folder, shipped }: TextOptions): string {
  const documents = [
    settingsLines(
      answers,
      [shipped.countriesFile, ...answers.clouds.map(({ file }) => file)].map((file) =>
        includePath(file, folder, shipped),
      ),
    ),
    networksLines(answers.offices),
    ...(answers.tenants.length > 0 ? [tenantsLines(answers.tenants)] : []),
  ];
  return `${documents.map((lines) => lines.join("\n")).join("\n---\n")}\n`;
}

function settingsLines({ offices, listen, clouds }: Answers, included: readonly string[]): readonly string[] {
  const points = vantagePoints(offices, listen);
  const off = clouds.filter(({ isOff }) => isOff);
  return [
    "# Offices of one's own, and the clouds that geodns365 ships. Change it, check it, and serve it.",
    "server:",
    "  listen:",
    `    # A client subnet says where a question is from: dig +subnet=${offices[0]?.prefixes[0]}`,
    `    - ${plainEndpoint(listen)}`,
    ...(points.length > 0 ? ["    # Who asks at these without one is taken to be in that office."] : []),
    ...points.map(
      ({ office, at }) => `    - { address: ${plainEndpoint(at)}, vantage: ${yamlText(office.name)} }`,
    ),
    "# That no tenant here lives in a shipped datacenter, and no office is near it, is nothing to warn of.",
    "lint: { silence: [datacenter-without-tenants, front-end-unreachable] }",
    "include:",
    ...included.map((path) => `  - ${yamlText(path)}`),
    ...(off.length > 0
      ? [`clouds: { ${off.map(({ name }) => `${name}: { enabled: true }`).join(", ")} }`]
      : []),
  ];
}

function networksLines(offices: readonly Office[]): readonly string[] {
  return [
    "# Where questions come from: the client subnet that a resolver passes on, or else its own address.",
    "networks:",
    ...offices.flatMap(({ name, prefixes, place }) => [
      `  ${yamlText(name)}:`,
      `    prefixes: [${prefixes.map(plainPrefix).join(", ")}]`,
      `    place: ${placeText(place)}`,
    ]),
  ];
}

function tenantsLines(tenants: readonly Tenant[]): readonly string[] {
  return [
    "# Whose data lives where; domains: [contoso.com] beside it gives a tenant MX hosts.",
    "tenants:",
    ...tenants.map(({ name, geo, active, standby }) => {
      const backup = standby === undefined ? "" : `, standby: ${yamlText(standby.id)}`;
      return `  ${yamlText(name)}: { cloud: ${active.cloud}, geo: ${yamlText(geo)}, active: ${yamlText(active.id)}${backup} }`;
    }),
  ];
}

/** A listener on loopback that stands for an office. */
export interface VantagePoint {
  readonly office: Office;
  readonly at: Endpoint;
}

const POINTS_PER_BLOCK = 254;

/** One for each office, from 127.0.1.1 on; none where the server is to listen elsewhere than on 127.0.0.1. */
export function vantagePoints(offices: readonly Office[], listen: Endpoint): readonly VantagePoint[] {
  if (listen.address !== "127.0.0.1") return [];
  return offices.map((office, i) => {
    const address = `127.0.${1 + Math.floor(i / POINTS_PER_BLOCK)}.${1 + (i % POINTS_PER_BLOCK)}`;
    return { office, at: { address, family: 4, port: listen.port } };
  });
}

/**
 * A shipped file as `include` finds it from a folder: relative while one of the two holds the other, so that both can be
 * moved together, and absolute where they are apart.
 */
function includePath(file: string, folder: string, { folder: shipped }: Shipped): string {
  const root = dirname(shipped);
  const path = isWithin(folder, root) || isWithin(root, folder) ? relative(folder, file) : file;
  // `include` takes patterns, in which there is no other way to have one of their signs stand for itself.
  return path
    .split(sep)
    .join("/")
    .replace(/[*?[\]{}()!]/g, "?");
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function placeText({ city, country, coordinates }: City): string {
  return `{ city: ${yamlText(city)}, country: ${yamlText(country)}, coordinates: [${coordinates.join(", ")}] }`;
}

/** Of IPv6 the colons would be those of a map. */
const plainPrefix = (text: string): string => (text.includes(":") ? `"${text}"` : text);
const plainEndpoint = (at: Endpoint): string =>
  at.family === 4 ? formatEndpoint(at) : `"${formatEndpoint(at)}"`;

/** Words that YAML, or YAML as it was before 1.2, reads as something else than text. */
const reserved = /^(null|true|false|yes|no|on|off|y|n)$/i;

/** A text, in quotes where it could be read as anything else. */
function yamlText(text: string): string {
  const isPlain = /^[\p{L}/.][\p{L}\p{M}\d ./'_-]*$/u.test(text) && !text.endsWith(" ");
  return isPlain && !reserved.test(text) && !/^\.[\d.]*(inf|nan)?$/i.test(text) ? text : JSON.stringify(text);
}
