/** What `npm run bench` is told. */

import { parseArgs } from "node:util";

export const HELP = `usage: npm run bench -- [MODE] [--quick] [--rounds N] [--queries N] [--in-flight N,...] [--only TEXT,...]
                         [--json FILE] [--svg FILE]
modes: one name of the lab over UDP, or one of
  --tenants N    N tenants with made-up names, asked for at random
  --tcp          over TCP: pipelined, and one query a connection
  --reload       geodns365 alone: loaded anew once a second under load; nothing may be lost or wrong
  --seconds N    of --reload (60)
flags:
  --quick        three rounds of few queries, about two minutes, for a first look
  --rounds N     in each round every server is started and measured once (5)
  --queries N    in each round, for each server and each table (200000)
  --in-flight N  queries under way at a time; a table for each of several (100)
  --only TEXT    only servers whose name holds one of the texts
  --json FILE    writes everything there too, samples included
  --svg FILE     draws the first table there as a chart`;

export type Mode =
  | { readonly kind: "lab" }
  | { readonly kind: "tenants"; readonly count: number }
  | { readonly kind: "tcp" }
  | { readonly kind: "reload"; readonly seconds: number };

export interface Flags {
  readonly mode: Mode;
  readonly rounds: number;
  readonly queries: number;
  /** of the latency at a fixed rate */
  readonly probeSeconds: number;
  readonly inFlight: readonly number[];
  readonly only: readonly string[];
  readonly json: string | undefined;
  readonly svg: string | undefined;
}

export type ReadFlags =
  | { readonly kind: "flags"; readonly flags: Flags }
  | { readonly kind: "help" }
  | { readonly kind: "misuse"; readonly message: string };

const text = { type: "string" } as const;
const given = { type: "boolean" } as const;
const options = {
  ...{ tenants: text, tcp: given, reload: given, seconds: text },
  ...{ quick: given, rounds: text, queries: text, "in-flight": text, only: text },
  ...{ json: text, svg: text, help: given },
};

/** What is counted when nothing is said. */
const usual = { rounds: 5, queries: 200_000, probeSeconds: 2, seconds: 60 };
const quick = { rounds: 3, queries: 20_000, probeSeconds: 0.5, seconds: 10 };

export function readFlags(args: readonly string[]): ReadFlags {
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return { kind: "help" };
    const modes = [values.tenants !== undefined, values.tcp, values.reload].filter(Boolean);
    if (modes.length > 1) throw new Error("one of --tenants, --tcp and --reload at a time");
    const defaults = values.quick ? quick : usual;
    return {
      kind: "flags",
      flags: {
        mode: modeOf(values, defaults.seconds),
        rounds: count("--rounds", values.rounds, defaults.rounds),
        queries: count("--queries", values.queries, defaults.queries),
        probeSeconds: defaults.probeSeconds,
        inFlight: (values["in-flight"] ?? "100").split(",").map((each) => count("--in-flight", each, 100)),
        only: values.only?.split(",") ?? [""],
        json: values.json,
        svg: values.svg,
      },
    };
  } catch (error) {
    return { kind: "misuse", message: error instanceof Error ? error.message : String(error) };
  }
}

interface ModeFlags {
  readonly tenants?: string | undefined;
  readonly tcp?: boolean | undefined;
  readonly reload?: boolean | undefined;
  readonly seconds?: string | undefined;
}

function modeOf({ tenants, tcp, reload, seconds }: ModeFlags, usualSeconds: number): Mode {
  if (seconds !== undefined && !reload) throw new Error("--seconds goes with --reload");
  if (reload) return { kind: "reload", seconds: count("--seconds", seconds, usualSeconds) };
  if (tenants !== undefined) return { kind: "tenants", count: count("--tenants", tenants, 0) };
  return tcp ? { kind: "tcp" } : { kind: "lab" };
}

function count(flag: string, value: string | undefined, otherwise: number): number {
  const number = Number(value ?? otherwise);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${flag} takes a whole number above 0`);
  return number;
}
