/** Probes of real servers on loopback: what counts as an answer, and what is said where there is none. */

import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { parseProbeTarget, probe } from "../../src/health/probe.ts";

const options = { timeoutMilliseconds: 2000, verifyCertificate: true };

function target(text: string): URL {
  const parsed = parseProbeTarget(text);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

const portOf = (server: HttpServer | Server): number => (server.address() as AddressInfo).port;

describe("a target", () => {
  test.each([
    ["http://198.18.1.1:8080/healthz", undefined],
    ["http://[2001:db8::1]/", undefined],
    ["https://lhr.example/", undefined],
    ["tcp://198.18.1.1:443", undefined],
    ["tcp://[2001:db8::1]:443", undefined],
    ["198.18.1.1", /is not a probe like/],
    ["ftp://198.18.1.1/", /is not a probe like/],
    ["http://user:secret@198.18.1.1/", /is not a probe like/],
    ["tcp://198.18.1.1", /needs a port and no path/],
    ["tcp://198.18.1.1:443/path", /needs a port and no path/],
  ])("%s", (text, fault) => {
    const parsed = parseProbeTarget(text);
    if (fault === undefined) expect(parsed).toBeInstanceOf(URL);
    else expect(parsed).toMatch(fault);
  });
});

describe("a probe", () => {
  let http: HttpServer;
  let silent: Server;
  beforeAll(async () => {
    http = createHttpServer((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end();
    });
    silent = createServer(() => {});
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    http.closeAllConnections();
    http.close();
    silent.close();
  });

  test.each([
    [200, undefined],
    [204, undefined],
    [302, undefined],
    [404, "status 404"],
    [503, "status 503"],
  ])("of HTTP that answers %d: %s", async (status, fault) => {
    expect(await probe(target(`http://127.0.0.1:${portOf(http)}/${status}`), options)).toBe(fault);
  });

  it("of TCP that accepts", async () => {
    expect(await probe(target(`tcp://127.0.0.1:${portOf(silent)}`), options)).toBeUndefined();
  });

  it("of what accepts and says nothing", async () => {
    const short = { ...options, timeoutMilliseconds: 20 };
    expect(await probe(target(`http://127.0.0.1:${portOf(silent)}/`), short)).toBe("no answer in 20 ms");
  });

  test.each(["http", "https", "tcp"])("of a port where nobody listens, by %s", async (scheme) => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const port = portOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    expect(await probe(target(`${scheme}://127.0.0.1:${port}`), options)).toBe("connection refused");
  });

  it("of HTTPS that speaks no TLS", async () => {
    const fault = await probe(target(`https://127.0.0.1:${portOf(http)}/200`), options);
    expect(fault).toBeDefined();
  });
});
