/** `serve` by either transport, with any number of workers, and where datagrams cannot be batched. */

import { describe, expect, it } from "vitest";
import { CLASS, TYPE } from "../../src/dns/iana.ts";
import { nameOctets, nameOf } from "../../src/dns/name.ts";
import { renderQuery } from "../../src/dns/render.ts";
import { openClient } from "../plane/client.ts";
import { batched } from "../plane/ways.ts";
import { call, run, startCommand, startServe } from "./program.ts";

const query = renderQuery(
  { qname: nameOctets(nameOf("office365.com.")), qtype: TYPE.SOA, qclass: CLASS.IN },
  { id: 7, recursionDesired: false, edns: undefined },
);

/** Node's own options under which koffi is not installed, in worker threads too. */
const withoutKoffi = `--import=data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== "koffi") return next(specifier, context);
      throw Object.assign(new Error("Cannot find package 'koffi'"), { code: "ERR_MODULE_NOT_FOUND" });
    },
  });
`)}`;

describe("transports", { timeout: 30_000 }, () => {
  it.each([
    ["dgram", "1"],
    ["dgram", "3"],
    ...(batched === undefined
      ? []
      : [
          ["batched", "1"],
          ["batched", "3"],
        ]),
  ])("%s with %s workers answers, and ends by a signal", async (transport, workers) => {
    const how = ["--transport", transport ?? "", "--workers", workers ?? ""];
    const server = await startServe(["--listen", "127.0.0.1:0", ...how]);
    const port = Number(server.address.split(":")[1]);
    for (const way of ["udp", "tcp"] as const) {
      const client = await openClient(way, port);
      const replies = await client.askAll([query, query, query, query]);
      expect(replies.map((reply) => reply.subarray(2, 4).toString("hex"))).toEqual(Array(4).fill("8400"));
      client.close();
    }
    const { code, stderr } = await server.stop();
    expect(code).toBe(0);
    expect(stderr).toContain("stopped by SIGTERM");
    expect(stderr).not.toContain("dgram, one at a time");
  });

  it("says in one line that it does without koffi, and serves", async () => {
    const args = ["serve", "--admin", "off", "--listen", "127.0.0.1:0", "--workers", "2"];
    const server = startCommand(args, { NODE_OPTIONS: withoutKoffi });
    await server.printed("try: dig");
    const { code, stdout, stderr } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(stdout).toContain("geodns365 serves");
    const lines = stderr.split("\n").filter((line) => line.includes("koffi"));
    expect(lines).toEqual([
      expect.stringContaining(
        "datagrams go by dgram, one at a time, since they cannot be batched: the optional package koffi is not installed",
      ),
    ]);
  });

  it("is misuse to ask for what cannot be", async () => {
    const args = ["serve", "--admin", "off", "--listen", "127.0.0.1:0", "--transport", "batched"];
    expect(await run(args, [withoutKoffi])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        process.platform === "linux"
          ? "error: --transport batched: the optional package koffi is not installed; leave it out, and dgram serves\n"
          : expect.stringMatching(/^error: --transport batched: .*\n$/),
    });
  });

  it.each([
    ["--workers", "0"],
    ["--workers", "x"],
    ["--workers", "-1"],
    ["--workers", "1.5"],
    ["--workers", ""],
    ["--workers", "100000"],
    ["--transport", "tcp"],
  ])("%s %s is misuse", async (option, value) => {
    const { code, stdout, stderr } = await call(["serve", `${option}=${value}`]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(new RegExp(`^error: .*${option}.*\n$`));
  });
});
