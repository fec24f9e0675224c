// The text of a state: it is read as it was written, or it is told what is wrong with it.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { noOperations } from "../../src/cloud/operations.ts";
import { formatState, parseState } from "../../src/state/stored-state.ts";
import { digest, state } from "./lab.ts";

const { text, checksum } = formatState(7, state);

describe("a state", () => {
  test("is read as it was written", () => {
    expect(parseState(text)).toEqual({ sequence: 7, checksum, state });
  });

  test("keeps any apex, even one that objects have by themselves", () => {
    const zones = Object.fromEntries([["__proto__", { serial: 2, digest }]]);
    const parsed = parseState(formatState(1, { ...state, zones }).text);
    expect(typeof parsed === "object" && Object.entries(parsed.state.zones)).toEqual([
      ["__proto__", { serial: 2, digest }],
    ]);
  });

  test("may have its line ends changed on the way", () => {
    expect(parseState(text.replaceAll("\n", "\r\n"))).toMatchObject({ sequence: 7, checksum });
  });

  test("of version 1 had neither number nor operations", () => {
    const { zones, cookieSecrets } = state;
    expect(parseState(JSON.stringify({ version: 1, zones, cookieSecrets }))).toEqual({
      sequence: 0,
      checksum: "",
      state: { zones, cookieSecrets, operations: noOperations },
    });
  });
});

test("cut anywhere it is damaged", () => {
  // The last octet is the line end, which may be missing.
  for (let length = 0; length < text.length - 1; length++) {
    expect(parseState(text.slice(0, length)), `${length} octets`).toBeTypeOf("string");
  }
  expect(parseState(text.slice(0, -1))).toEqual({ sequence: 7, checksum, state });
});

test("with any bit flipped it is damaged, or means the same", () => {
  const octets = Buffer.from(text);
  for (let i = 0; i < octets.length; i++) {
    const flipped = Buffer.from(octets);
    flipped[i] = (octets[i] ?? 0) ^ (1 << (i % 8));
    const parsed = parseState(flipped.toString());
    if (typeof parsed === "object") expect(parsed, `octet ${i}`).toEqual({ sequence: 7, checksum, state });
  }
});

/** A state with a checksum that fits, however wrong it is. */
function sealed(change: Readonly<Record<string, unknown>>): string {
  const content = { ...state, ...change };
  const sum = createHash("sha256")
    .update(JSON.stringify([2, 7, content]))
    .digest("hex");
  return JSON.stringify({ version: 2, sequence: 7, checksum: sum, state: content });
}

const serialOnly = (entry: unknown): string => sealed({ zones: { "lab.example.": entry } });
const operated = (change: Readonly<Record<string, unknown>>): string =>
  sealed({ operations: { ...state.operations, ...change } });
const overridden = (change: Readonly<Record<string, unknown>>): string =>
  operated({ overrides: [{ number: 1, target: "lhr", state: "down", since: 1, ...change }] });
const moved = (change: Readonly<Record<string, unknown>>): string =>
  operated({
    tenants: { contoso: { active: "W/lhr", serving: "active", by: "operator", since: 1, ...change } },
  });

const noSerial = "zone lab.example. has no serial and digest";
const noSecrets = "its cookieSecrets are not at most two times 32 hex digits";
const noParts = "its operations lack overrides, tenants or health";
const noOverride = "one of its overrides is none";
const noMove = "tenant contoso is not served by an active datacenter or standby";
const noHealth = "the health of W/lhr is neither up nor down";

describe("a text is no state", () => {
  test.each<[what: string, content: string, found: string]>([
    ["that is empty", "", "it is empty"],
    ["of blanks", " \n", "it is empty"],
    ["of zeros, as a power failure leaves", "\0".repeat(100), "it is not JSON"],
    ["of another kind", "zones: [lab.example]\n", "it is not JSON"],
    ["that is a list", "[]", "it has no version"],
    ["that is null", "null", "it has no version"],
    ["without version", "{}", "it has no version"],
    ["of a later version", `{ "version": 3 }`, "it is of version 3, and this program reads 1 and 2"],
    ["without number", `{ "version": 2 }`, "it has no sequence number"],
    ["with number 0", text.replace(`"sequence": 7`, `"sequence": 0`), "it has no sequence number"],
    ["without checksum", `{ "version": 2, "sequence": 7 }`, "its checksum is not that of its content"],
    [
      "with another number",
      text.replace(`"sequence": 7`, `"sequence": 8`),
      "its checksum is not that of its content",
    ],
    [
      "that somebody edited",
      text.replace(`"serial": 1,`, `"serial": 2,`),
      "its checksum is not that of its content",
    ],
    ["without zones", sealed({ zones: undefined }), "it has no zones"],
    ["with a list of zones", sealed({ zones: [] }), "it has no zones"],
    ["with a serial too large", serialOnly({ serial: 2 ** 32, digest }), noSerial],
    ["with a negative serial", serialOnly({ serial: -1, digest }), noSerial],
    ["with a broken serial", serialOnly({ serial: 1.5, digest }), noSerial],
    ["with a serial in words", serialOnly({ serial: "1", digest }), noSerial],
    ["with a short digest", serialOnly({ serial: 1, digest: "00" }), noSerial],
    ["without digest", serialOnly({ serial: 1 }), noSerial],
    ["with an entry that is null", serialOnly(null), noSerial],
    ["without secrets", sealed({ cookieSecrets: undefined }), noSecrets],
    ["with three secrets", sealed({ cookieSecrets: ["00", "00", "00"].map((s) => s.repeat(16)) }), noSecrets],
    ["with a short secret", sealed({ cookieSecrets: ["00"] }), noSecrets],
    ["with a secret that is not hex", sealed({ cookieSecrets: ["x".repeat(32)] }), noSecrets],
    ["without operations", sealed({ operations: undefined }), "it has no operations"],
    ["without overrides", operated({ overrides: undefined }), noParts],
    ["without tenants", operated({ tenants: undefined }), noParts],
    ["without health", operated({ health: [] }), noParts],
    ["without the next number", operated({ nextOverride: 0 }), "its operations have no nextOverride"],
    ["with an override that is null", operated({ overrides: [null] }), noOverride],
    ["with an override without number", overridden({ number: "1" }), noOverride],
    ["with an override of nothing", overridden({ target: undefined }), noOverride],
    ["with an override to no state", overridden({ state: "off" }), noOverride],
    ["with an override since ever", overridden({ since: null }), noOverride],
    ["with an override until some day", overridden({ until: "tomorrow" }), noOverride],
    ["with an override for a number", overridden({ reason: 7 }), noOverride],
    ["with a tenant that is null", operated({ tenants: { contoso: null } }), noMove],
    ["with a tenant nowhere", moved({ active: undefined }), noMove],
    ["with a tenant at no datacenter", moved({ active: "lhr" }), noMove],
    ["with a tenant at a path", moved({ active: "a/b/c" }), noMove],
    ["with a standby that is none", moved({ standby: 1 }), noMove],
    ["with a tenant at a standby it lacks", moved({ serving: "standby" }), noMove],
    ["with a tenant moved by none", moved({ by: "chance" }), noMove],
    ["with a tenant moved never", moved({ since: undefined }), noMove],
    ["with health in between", operated({ health: { "W/lhr": { state: "so-so" } } }), noHealth],
    [
      "with health for no reason",
      operated({ health: { "W/lhr": { state: "up", since: 1, reason: null } } }),
      noHealth,
    ],
  ])("%s", (_what, content, found) => {
    expect(parseState(content)).toBe(found);
  });

  test("where the helper that seals it is right", () => {
    expect(parseState(sealed({}))).toEqual({ sequence: 7, checksum, state });
  });
});
