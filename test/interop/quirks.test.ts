/** Real resolvers before name servers that cannot read EDNS: they fall back to plain DNS, and resolve the MX hosts all the same. */

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatConfigError, loadConfig } from "../../src/config/load.ts";
import { root, run, type Started, startGeodns365 } from "./programs.ts";
import { startDaemon } from "./resolvers/daemon.ts";
import { bind, knotResolver, labAt, powerdns, unbound } from "./resolvers/resolvers.ts";

const config = join(root, "test/scenarios/fixtures/quirks-of-mx-hosts.yaml");
const loaded = loadConfig(config);
if (loaded.kind === "errors") throw new Error(loaded.errors.map(formatConfigError).join("\n"));
const { configuration } = loaded;
const mxHost = "contoso-com.mail.protection.outlook.com";

let server: Started;
beforeAll(async () => {
  server = await startGeodns365(["--config", config, "--state", "none"]);
});
afterAll(() => server?.stop());

const dig = (port: number, ...args: readonly string[]): Promise<string> =>
  run("dig", ["@127.0.0.1", "-p", String(port), "+tries=1", "+norecurse", ...args]);

describe("dig, asking the server itself", () => {
  it.each(["+notcp", "+tcp"])(
    "is told FORMERR without a question, and without EDNS the addresses: %s",
    async (way) => {
      const refused = await dig(server.port, mxHost, "A", way, "+edns=0");
      expect(refused).toContain("status: FORMERR");
      expect(refused).toContain("flags: qr; QUERY: 0, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0");
      expect(refused).toContain("MSG SIZE  rcvd: 12");
      const answered = await dig(server.port, mxHost, "A", way, "+noedns", "+short");
      expect(answered.trim().split("\n")).toEqual(["198.18.22.81", "198.18.22.82"]);
      expect(await dig(server.port, mxHost, "HTTPS", way, "+noedns")).toContain("status: NOTIMP");
    },
  );
});

describe.each([
  { resolver: "unbound", daemon: unbound },
  { resolver: "pdns-recursor", daemon: powerdns },
  { resolver: "knot-resolver", daemon: knotResolver },
  { resolver: "BIND", daemon: bind },
])("$resolver in front", ({ daemon }) => {
  let front: Started;
  beforeAll(async () => {
    front = await startDaemon(daemon(labAt(server.port, configuration)));
  });
  afterAll(() => front?.stop());

  it("resolves an MX host, and beside it a zone that reads EDNS", async () => {
    const addresses = await dig(front.port, mxHost, "A", "+recurse", "+short");
    expect(addresses.trim().split("\n").toSorted()).toEqual(["198.18.22.81", "198.18.22.82"]);
    expect(await dig(front.port, "portal.office.com", "A", "+recurse", "+short")).toContain(
      "-portal.office.com.",
    );
  });
});
