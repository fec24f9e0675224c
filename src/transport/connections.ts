/** The open TCP connections of a server, and the limits on how many there are. */

import { formatPrefix, type IpAddress, prefixOf } from "../ip.ts";

export interface ConnectionLimits {
  readonly maxConnections: number;
  /** of an IPv4 address or an IPv6 /64; absent: no less than there may be in total */
  readonly maxConnectionsPerAddress?: number;
}

/** How many there are, and how many there were no room for. */
export interface ConnectionCounts {
  readonly open: number;
  /** turned away, since the start */
  readonly refused: number;
  /** idle ones closed to make room, since the start */
  readonly replaced: number;
}

/** What is counted. */
export interface Countable {
  readonly address: IpAddress;
  /** Nothing that it asked is unanswered, nothing that it was sent unread. */
  isIdle(): boolean;
  destroy(): void;
}

/**
 * Counts connections, in total and per address (RFC 7766 §6.2.2). One over the limit of its address is turned away: it
 * has enough already. One over the total takes the place of the one that is idle the longest, so that nobody keeps the
 * others out by opening connections and saying nothing; it is turned away only where none is idle.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** the one whose last complete query (or whose opening) is the longest ago comes first */
  readonly #open = new Set<Countable>();
  readonly #countByAddress = new Map<string, number>();
  readonly #onChange: (counts: ConnectionCounts) => void;
  #refused = 0;
  #replaced = 0;

  /** `onChange` is told of the counts when they are others. */
  constructor(limits: ConnectionLimits, onChange: (counts: ConnectionCounts) => void = () => {}) {
    this.#limits = limits;
    this.#onChange = onChange;
  }

  get counts(): ConnectionCounts {
    return { open: this.#open.size, refused: this.#refused, replaced: this.#replaced };
  }

  /** Counts one more; false where there is no room for it. */
  admit(connection: Countable): boolean {
    const isAdmitted = this.#findRoom(connection);
    if (!isAdmitted) this.#refused++;
    this.#onChange(this.counts);
    return isAdmitted;
  }

  /** A complete query came: the connection is now the last to be closed. */
  renew(connection: Countable): void {
    if (this.#open.delete(connection)) this.#open.add(connection);
  }

  remove(connection: Countable): void {
    if (!this.#open.delete(connection)) return;
    const key = countedAs(connection.address);
    const count = this.#countByAddress.get(key) ?? 0;
    if (count > 1) this.#countByAddress.set(key, count - 1);
    else this.#countByAddress.delete(key);
    this.#onChange(this.counts);
  }

  #findRoom(connection: Countable): boolean {
    const key = countedAs(connection.address);
    const count = this.#countByAddress.get(key) ?? 0;
    if (count >= (this.#limits.maxConnectionsPerAddress ?? Number.POSITIVE_INFINITY)) return false;
    if (this.#open.size >= this.#limits.maxConnections) {
      const idle = this.#longestIdle();
      if (idle === undefined) return false;
      this.#replaced++;
      this.remove(idle);
      idle.destroy();
    }
    this.#open.add(connection);
    this.#countByAddress.set(key, (this.#countByAddress.get(key) ?? 0) + 1);
    return true;
  }

  #longestIdle(): Countable | undefined {
    for (const connection of this.#open) if (connection.isIdle()) return connection;
    return undefined;
  }
}

/** An IPv6 host is commonly given a whole /64 and may take any address in it, so the /64 is what counts. */
const countedAs = (address: IpAddress): string =>
  formatPrefix(prefixOf(address, address.family === 4 ? 32 : 64));
