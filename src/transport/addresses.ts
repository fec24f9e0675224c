/** Addresses as sockets have them: those a wildcard stands for, and those of peers. */

import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type AddressFamily, type Endpoint, formatAddress, type IpAddress, parseAddress } from "../ip.ts";

/** Whether this is 0.0.0.0 or ::, in whatever spelling. */
export const isWildcard = ({ address }: Pick<Endpoint, "address">): boolean =>
  parseAddress(address)?.octets.every((octet) => octet === 0) ?? false;

/** Whether this is ::1 or one of 127.0.0.0/8. */
export function isLoopback({ address }: Pick<Endpoint, "address">): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && (parsed.family === 4 ? parsed.octets[0] === 127 : isOne(parsed.octets));
}

const isOne = (octets: Uint8Array): boolean => octets.every((octet, i) => octet === (i < 15 ? 0 : 1));

/**
 * The addresses of this machine, in the form that a socket binds: a link-local one with its interface (RFC 4007 §11).
 * `os.networkInterfaces` leaves out interfaces without a carrier, such as docker0 before the first container, so on Linux
 * the kernel's own tables are read too. Of 127.0.0.0/8, whole local there, only what an interface lists is among them:
 * 127.0.0.1 unless somebody added more.
 */
export function machineAddresses(
  family: AddressFamily,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
  tables: KernelTables = readKernelTables(),
): readonly string[] {
  const addresses = Object.entries(interfaces).flatMap(([name, entries = []]) =>
    entries
      .filter((entry) => entry.family === (family === 4 ? "IPv4" : "IPv6"))
      .map((entry) =>
        entry.family === "IPv6" && entry.scopeid !== 0 ? `${entry.address}%${name}` : entry.address,
      ),
  );
  return [...new Set([...addresses, ...(family === 4 ? localAddresses4(tables) : localAddresses6(tables))])];
}

/** Texts of /proc/net/fib_trie and /proc/net/if_inet6; empty where there are none. */
export interface KernelTables {
  readonly fibTrie: string;
  readonly ifInet6: string;
}

function readKernelTables(): KernelTables {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return { fibTrie: read("/proc/net/fib_trie"), ifInet6: read("/proc/net/if_inet6") };
}

/** Leaves of the routing trie that are single addresses of this host. */
const localAddresses4 = ({ fibTrie }: KernelTables): readonly string[] =>
  [...fibTrie.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map(([, address = ""]) => address);

/** A line an address: 32 hex digits, index of the interface, prefix length, scope (0x20 is link-local), flags, name. */
const localAddresses6 = ({ ifInet6 }: KernelTables): readonly string[] =>
  [...ifInet6.matchAll(/^([0-9a-f]{32}) \S+ \S+ (\S+) \S+ +(\S+)$/gm)].map(([, hex = "", scope, name]) => {
    const address = formatAddress(Buffer.from(hex, "hex"));
    return scope === "20" ? `${address}%${name}` : address;
  });

/** The address of a peer; the name of an interface behind a link-local one says nothing about its place. */
export function withoutScope(text: string): IpAddress {
  const address = parseAddress(text.split("%", 1)[0] ?? "");
  if (address === undefined) throw new Error(`the socket reports "${text}" as an address`);
  return address;
}
