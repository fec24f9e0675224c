/** The admin API of `serve`: where it listens, and what happens where it cannot. */

import type { Admin } from "../admin/admin.ts";
import type { Control } from "../admin/control.ts";
import { AdminListenError } from "../admin/listen-error.ts";
import type { Settings } from "../config/configuration.ts";
import type { Endpoint } from "../ip.ts";

/** Where the admin API listens if nobody has said. */
export const defaultAdmin: Endpoint = { address: "127.0.0.1", family: 4, port: 5380 };

export interface AdminLog {
  error(error: unknown): void;
  warn(message: string): void;
}

/**
 * Starts the admin API as the flag says or, without one, the configuration. Where the default cannot be bound there is a
 * warning and none: a second server on a machine is no mistake. What was asked for rejects with an AdminListenError.
 */
export async function openAdmin(
  control: Control,
  settings: Settings["admin"],
  flag: Endpoint | "off" | undefined,
  log: AdminLog,
  byDefault = defaultAdmin,
): Promise<Admin | undefined> {
  if (flag === "off" || (flag === undefined && settings === "off")) return undefined;
  const { listen: listed, tokenHash, hosts } = settings === "off" ? nothingSet : settings;
  const asked = flag === undefined ? listed : [flag];
  const options = {
    listen: asked ?? [byDefault],
    tokenHash,
    hosts,
    onFault: (error: unknown) => log.error(error),
    onWarning: (message: string) => log.warn(message),
  };
  // It is a good part of the program (HTTP, routes, schemas), and who has it off need not hold it.
  const { startAdmin } = await import("../admin/admin.ts");
  try {
    return await startAdmin(control, options);
  } catch (error) {
    if (asked !== undefined || !(error instanceof AdminListenError)) throw error;
    log.warn(`${error.message}; there is no admin API`);
    return undefined;
  }
}

const nothingSet: Exclude<Settings["admin"], "off"> = { listen: undefined, tokenHash: undefined, hosts: [] };
