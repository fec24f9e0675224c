/** geodns365 itself keeps every rule of the table. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverWays, withPlane } from "../plane/ways.ts";
import { checks, nameOf, runCheck, runTcpCheck } from "./checks.ts";
import { type Subject, startGeodns365 } from "./geodns365.ts";
import { requiredCookieChecks, tailoredChecks } from "./tailored-checks.ts";
import { tcpChecks } from "./tcp-checks.ts";
import { ownTsigChecks } from "./tsig-checks.ts";

const named = <T extends { readonly rule: string; readonly what: string }>(rows: readonly T[]) =>
  rows.map((row) => ({ name: nameOf(row), row }));

describe.each(serverWays)("$way", (serverWay) => {
  let subject: Subject;
  let strictSubject: Subject;
  beforeAll(async () => {
    subject = await startGeodns365({}, withPlane(serverWay));
    strictSubject = await startGeodns365({ cookies: "require" }, withPlane(serverWay));
  });
  afterAll(async () => {
    await subject.stop();
    await strictSubject.stop();
  });

  describe("the rows that every server is held to", () => {
    it.each(named(checks))("$name", async ({ row }) => {
      expect(await runCheck(row, subject.port)).toEqual([]);
    });
  });

  describe("tailored names, and choices that the rules leave", () => {
    it.each(named([...tailoredChecks, ...ownTsigChecks]))("$name", async ({ row }) => {
      expect(await runCheck(row, subject.port)).toEqual([]);
    });
  });

  describe("where cookies are required", () => {
    it.each(named(requiredCookieChecks))("$name", async ({ row }) => {
      expect(await runCheck(row, strictSubject.port)).toEqual([]);
    });
  });

  describe("TCP", () => {
    it.each(named(tcpChecks))("$name", async ({ row }) => {
      expect(await runTcpCheck(row, subject.port)).toEqual([]);
    });
  });
});

it("has a name of its own for each row", () => {
  const names = [...checks, ...tailoredChecks, ...ownTsigChecks, ...requiredCookieChecks, ...tcpChecks].map(
    nameOf,
  );
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
