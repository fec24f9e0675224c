/** Where the server listens: endpoints, and the networks that some of them stand for. */

import { type Endpoint, formatPrefix, parseAddress, parseEndpoint, parsePrefix } from "../ip.ts";
import type { Faults } from "./build-topology.ts";
import type { ListenerSettings, Network, VantageSettings } from "./configuration.ts";
import { type Documents, suggest } from "./documents.ts";
import { cutFound, cutPieces } from "./printable.ts";
import { formatPlace, type ValuePath } from "./yaml-document.ts";

const defaultListeners: readonly ListenerSettings[] = [
  { address: "127.0.0.1", family: 4, port: 5300 },
  { address: "::1", family: 6, port: 5300 },
];

/** `server.listen`; each endpoint may stand once, and a vantage must be a network or a prefix. */
export function buildListeners(
  { settings, lost }: Documents,
  networks: readonly Network[],
  faults: Faults,
): readonly ListenerSettings[] {
  const document = settings.find(({ value }) => value.server !== undefined);
  const items = document?.value.server?.listen;
  if (document === undefined || items === undefined) return defaultListeners;
  const { source } = document;
  const owners: { readonly endpoint: Endpoint; readonly path: ValuePath }[] = [];
  return items.flatMap((item, i) => {
    const path = ["server", "listen", i];
    const { address, vantage: text, clientSubnet } = typeof item === "string" ? { address: item } : item;
    const endpoint = parseEndpoint(address);
    if (typeof endpoint === "string") return []; // the schema has told
    const clash = owners.find((other) => takesPlaceOf(other.endpoint, endpoint));
    if (clash !== undefined) {
      const words = `${address} is served by the listener at ${formatPlace(source.placeOf(clash.path))} already`;
      faults.at(source, typeof item === "string" ? path : [...path, "address"], words);
    }
    owners.push({ endpoint, path });
    const vantage = text === undefined ? undefined : parseVantage(text, networks);
    if (typeof vantage === "string") {
      const isLost = lost.anything || lost.keys.has("networks");
      if (!isLost || looksLikePrefix(text ?? "")) faults.at(source, [...path, "vantage"], vantage);
      return [];
    }
    return {
      ...endpoint,
      ...(vantage !== undefined && { vantage }),
      ...(clientSubnet === "ignore" && { ignoresClientSubnet: true }),
    };
  });
}

/** Whether both want one socket: the same address and port, or a wildcard that holds the other. Port 0 is any that is free. */
function takesPlaceOf(a: Endpoint, b: Endpoint): boolean {
  if (a.family !== b.family || a.port !== b.port || a.port === 0) return false;
  const [one, other] = [a, b].map(({ address }) => parseAddress(address)?.octets ?? new Uint8Array());
  if (one === undefined || other === undefined) return false;
  return isWildcard(one) || isWildcard(other) || Buffer.compare(one, other) === 0;
}

const isWildcard = (octets: Uint8Array): boolean => octets.every((octet) => octet === 0);

/** The name of a network, or a prefix; a sentence where the text is neither. */
export function parseVantage(text: string, networks: readonly Network[]): VantageSettings | string {
  if (networks.some(({ name }) => name === text)) return { kind: "network", network: text };
  const prefix = parsePrefix(text);
  if (typeof prefix !== "string") return { kind: "prefix", prefix };
  if (looksLikePrefix(text)) return cutPieces(prefix, text);
  const names = networks.map(({ name }) => name);
  return `"${cutFound(text)}" is neither a network nor a prefix${suggest(text, names)}`;
}

/** The name of a network has neither a dot nor a colon nor a slash. */
const looksLikePrefix = (text: string): boolean => /[.:/]/.test(text);

/** As it is written. */
export const formatVantage = (vantage: VantageSettings): string =>
  vantage.kind === "network" ? vantage.network : formatPrefix(vantage.prefix);
