/** Which addresses a wildcard stands for. */

import { networkInterfaces } from "node:os";
import { type AddressFamily, type Endpoint, parseAddress } from "../ip.ts";

/** Whether this is 0.0.0.0 or ::, in whatever spelling. */
export const isWildcard = ({ address }: Pick<Endpoint, "address">): boolean =>
  parseAddress(address)?.octets.every((octet) => octet === 0) ?? false;

/**
 * The addresses of this machine, in the form that a socket binds: a link-local one with its interface (RFC 4007 §11).
 * What is not configured on an interface that is up is not among them: of 127.0.0.0/8, whole local on Linux, only what
 * `lo` lists, which is 127.0.0.1 unless somebody added more.
 */
export function machineAddresses(
  family: AddressFamily,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): readonly string[] {
  const addresses = Object.entries(interfaces).flatMap(([name, entries = []]) =>
    entries
      .filter((entry) => entry.family === (family === 4 ? "IPv4" : "IPv6"))
      .map((entry) =>
        entry.family === "IPv6" && entry.scopeid !== 0 ? `${entry.address}%${name}` : entry.address,
      ),
  );
  return [...new Set(addresses)];
}
