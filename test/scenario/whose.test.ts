// Whose the names and addresses of a response are, by the configuration alone.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAsk } from "../../src/config/ask.ts";
import { loadConfig } from "../../src/config/load.ts";
import { decodeMessage } from "../../src/dns/decode.ts";
import { openAsker } from "../../src/scenario/lab.ts";
import { Whose } from "../../src/scenario/whose.ts";
import { buildSnapshot } from "../../src/snapshot.ts";
import { prefix } from "../geo/prefixes.ts";

function openLab(path: string) {
  const loaded = loadConfig(join(import.meta.dirname, "..", path));
  if (loaded.kind === "errors") throw new Error(`${path} has errors`);
  const snapshot = buildSnapshot(loaded.configuration, undefined);
  const whose = new Whose(loaded.configuration);
  const asker = openAsker(
    () => snapshot,
    () => 0,
  );
  return async (text: string, from: string) => {
    const ask = parseAsk(text);
    if (typeof ask === "string") throw new Error(ask);
    const reply = await asker.ask(ask, prefix(from));
    const message = reply.kind === "response" ? decodeMessage(reply.octets) : "no response";
    if (typeof message === "string") throw new Error(message);
    const owners = message.answer.flatMap((record) => whose.ownersOf(record));
    return {
      datacenters: whose.datacentersOf(message).map(({ id }) => id),
      clouds: [...new Set(owners.map(({ cloud }) => cloud))],
    };
  };
}

describe("in the default lab", () => {
  const ask = openLab("../config/geodns365.yaml");
  test.each([
    ["outlook.office365.com", ["Worldwide/lhr"], ["Worldwide"]],
    ["outlook.office365.com AAAA", ["Worldwide/lhr"], ["Worldwide"]],
    // no address, but a name that tells
    ["outlook.ms-acdc.office.com CNAME", ["Worldwide/lhr"], ["Worldwide"]],
    ["SYD-efz.ms-acdc.office.com", ["Worldwide/syd"], ["Worldwide"]],
    ["contoso.sharepoint.com CNAME", ["Worldwide/dub"], ["Worldwide"]],
    ["portal.partner.microsoftonline.cn", ["China/bjs"], ["China"]],
    // edges are everywhere
    ["teams.microsoft.com", [], ["Worldwide"]],
    // plain records of a zone that one cloud alone has names in
    ["outlook.cn NS", [], ["China"]],
    ["nosuch.sharepoint.com", [], []],
  ])("%s", async (text, datacenters, clouds) => {
    expect(await ask(text, "10.1.0.0/24")).toEqual({ datacenters, clouds });
  });
});

describe("of names with rules", () => {
  const ask = openLab("scenarios/fixtures/tailored.yaml");
  test.each([
    ["near-nodata.example.test", "198.51.100.0/24", ["Shop/tyo"]],
    ["near-nodata.example.test", "203.0.113.0/24", ["Shop/chi"]],
    ["mail.example.test", "203.0.113.0/24", []],
  ])("%s from %s", async (name, from, datacenters) => {
    expect((await ask(name, from)).datacenters).toEqual(datacenters);
  });
});
