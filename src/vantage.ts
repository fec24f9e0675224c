/** The address that a listener stands for. */

import type { ListenerSettings, Network } from "./config/configuration.ts";
import { formatVantage } from "./config/listeners.ts";
import type { IpAddress } from "./ip.ts";

/** A place to ask from that is not one's own: its address stands in for the source address. */
export interface Vantage {
  /** the name of the network, or the prefix */
  readonly name: string;
  readonly address: IpAddress;
}

/**
 * A network stands for its first prefix of the listener's family or, where it has none, for its first prefix; a prefix
 * stands for its first address. Undefined where there is no vantage, or no longer such a network.
 */
export function findVantage(
  { family, vantage }: ListenerSettings,
  networks: readonly Network[],
): Vantage | undefined {
  if (vantage === undefined) return undefined;
  const prefixes =
    vantage.kind === "prefix"
      ? [vantage.prefix]
      : (networks.find(({ name }) => name === vantage.network)?.prefixes ?? []);
  const prefix = prefixes.find((each) => each.family === family) ?? prefixes[0];
  return (
    prefix && {
      name: formatVantage(vantage),
      address: { family: prefix.family, octets: prefix.octets },
    }
  );
}
