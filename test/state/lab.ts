/** States to keep, and the folder they are kept in. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { noOperations } from "../../src/cloud/operations.ts";
import { datacenterId } from "../../src/cloud/topology.ts";
import type { StoredState } from "../../src/state/stored-state.ts";

export const digest = "0123456789abcdef".repeat(4);

const [lhr, dub] = [datacenterId("Worldwide", "lhr"), datacenterId("Worldwide", "dub")];

/** A state with something of each kind. */
export const state: StoredState = {
  zones: { "lab.example.": { serial: 4294967295, digest }, "other.example.": { serial: 1, digest } },
  cookieSecrets: ["00112233445566778899aabbccddeeff", "ff".repeat(16)],
  operations: {
    overrides: [
      { number: 3, target: "Worldwide/*", state: "draining", reason: undefined, since: 1, until: 900 },
      {
        number: 4,
        target: "lhr",
        state: "down",
        reason: "a \u{1f525} in “London”",
        since: 2,
        until: undefined,
      },
    ],
    tenants: {
      contoso: { active: dub, standby: lhr, serving: "standby", by: "failover", reason: "r", since: 3 },
      moved: {
        active: lhr,
        standby: undefined,
        serving: "active",
        by: "operator",
        reason: undefined,
        since: 4,
      },
    },
    health: { [dub]: { state: "down", since: 5, reason: "3 probes failed" } },
    nextOverride: 5,
  },
};

/** States told apart by a number. */
export const numbered = (number: number): StoredState => ({
  ...state,
  operations: { ...noOperations, nextOverride: number },
});

export const numberOf = ({ operations }: StoredState): number => operations.nextOverride;

export interface Folder {
  readonly path: string;
  readonly file: string;
  readonly copy: string;
  put(name: string, text: string | Uint8Array): void;
  remove(): void;
}

/** A folder with room for a state file in a folder of its own, as a configuration has it. */
export function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "geodns365-state-"));
  const file = join(path, ".geodns365/lab.state.json");
  return {
    path,
    file,
    copy: `${file}.copy`,
    put: (name, text) => {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
