/** Where the story is told: a whole server on loopback, its clock standing still, asked over UDP and told what operators tell it. */

import { randomInt } from "node:crypto";
import type { Control, Outcome } from "../admin/control.ts";
import type { ConfigError } from "../config/yaml-document.ts";
import { decodeMessage } from "../dns/decode.ts";
import { CLASS, formatRcode, RCODE, TYPE } from "../dns/iana.ts";
import { formatRecord, type Message } from "../dns/message.ts";
import { formatName, parseName } from "../dns/name.ts";
import { renderQuery } from "../dns/render.ts";
import type { Explanation } from "../explain.ts";
import { type Endpoint, formatPrefix, type IpPrefix, prefixOf } from "../ip.ts";
import { loadAll, type RunningLog, run } from "../running.ts";
import { Whose } from "../scenario/whose.ts";
import type { Snapshot } from "../snapshot.ts";
import { exchange } from "../transport/client.ts";
import type { Deed, Question } from "./story.ts";

export interface Stage {
  readonly at: Endpoint;
  /** Asks over UDP, and holds what comes back against the claim and against what explains it. */
  ask(question: Question): Promise<Asked>;
  /** Does what an operator would; a sentence where it cannot be done. */
  perform(deed: Deed): Promise<string | undefined>;
  close(): Promise<void>;
}

export type Asked =
  | {
      readonly kind: "answered";
      /** the question, as a person would type it */
      readonly dig: string;
      readonly message: Message;
      readonly explanation: Explanation;
      /** where the story and the answer differ; none where all is as told */
      readonly differences: readonly string[];
    }
  /** the question could not be put, or nothing came back */
  | { readonly kind: "unanswered"; readonly because: string };

export interface StageOptions {
  readonly config: string;
  readonly version: string;
  readonly log: RunningLog;
}

export type Opened =
  | { readonly kind: "open"; readonly stage: Stage }
  | { readonly kind: "errors"; readonly errors: readonly ConfigError[] };

export async function openStage({ config, version, log }: StageOptions): Promise<Opened> {
  const loaded = await loadAll(config, log, { stateFile: { kind: "none" } });
  if (loaded.kind === "errors") return { kind: "errors", errors: loaded.errors };
  const { snapshot } = loaded;
  const { server, control, close } = await run({
    config,
    loaded,
    listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    plane: undefined,
    version,
    log,
    onTrace: () => {},
    onLoaded: () => {},
  });
  const whose = new Whose(snapshot.configuration);
  const [at] = server.listening;
  if (at === undefined) throw new Error("the server listens nowhere");
  await control.setClock({ speed: 0 });
  const stage: Stage = {
    at,
    ask: async (question) => {
      const { name, network, tenant } = question;
      const subnet = subnetOf(snapshot, network);
      if (subnet === undefined) return unanswered(`the story needs a network ${network}, and there is none`);
      const from = formatPrefix(subnet);
      const explained = control.explain({ name, type: "A", from, tenant });
      if (explained.kind === "fault") return unanswered(explained.fault.message);
      let message: Message | string;
      try {
        message = decodeMessage(await exchange(at, queryOf(name, subnet), UDP));
      } catch (error) {
        message = error instanceof Error ? error.message : String(error);
      }
      if (typeof message === "string") return unanswered(message);
      const explanation = explained.value;
      return {
        kind: "answered",
        dig: `dig @${at.address} -p ${at.port} ${name} +subnet=${from}`,
        message,
        explanation,
        differences: [...differences(question, message, explanation, whose)],
      };
    },
    perform: async (deed) => {
      const outcome = await performOn(control, deed);
      return outcome.kind === "fault" ? outcome.fault.message : undefined;
    },
    close,
  };
  return { kind: "open", stage };
}

const UDP = { transport: "udp", timeoutMilliseconds: 3000 } as const;

const unanswered = (because: string): Asked => ({ kind: "unanswered", because });

const performOn = (control: Control, deed: Deed): Promise<Outcome<unknown>> => {
  switch (deed.kind) {
    case "set": {
      const { datacenter, state, forSeconds } = deed;
      return control.setDatacenter({ target: datacenter, state, forSeconds, reason: "a drill" });
    }
    case "failback":
      return control.failback(deed.tenant, undefined);
    case "wait":
      return control.setClock({ stepSeconds: deed.seconds });
  }
};

/** As much of the network's first prefix as resolvers pass on (RFC 7871 §11.1). */
function subnetOf({ configuration }: Snapshot, name: string): IpPrefix | undefined {
  const prefix = configuration.networks.find((network) => network.name === name)?.prefixes[0];
  return prefix && prefixOf(prefix, Math.max(prefix.length, prefix.family === 4 ? 24 : 56));
}

function queryOf(name: string, subnet: IpPrefix): Uint8Array {
  const qname = parseName(name);
  if (typeof qname === "string") throw new Error(qname);
  return renderQuery(
    { qname, qtype: TYPE.A, qclass: CLASS.IN },
    {
      id: randomInt(0x10000),
      recursionDesired: true,
      edns: { udpPayloadSize: 1232, dnssecOk: false, subnet },
    },
  );
}

/** Where the answer is not what the story says, or not what its explanation says. */
function* differences(
  { name, claim }: Question,
  message: Message,
  explanation: Explanation,
  whose: Whose,
): Generator<string> {
  const { decision, location, secondHop, scope, records } = explanation;
  if (message.rcode !== RCODE.NOERROR) yield `${name} is answered by ${formatRcode(message.rcode)}`;
  if (!message.authoritative) yield "the answer is not authoritative";
  const chosen = decision?.datacenter ?? "no datacenter";
  if (chosen !== claim.datacenter) yield `it is ${chosen} that is chosen, and not ${claim.datacenter}`;
  const owners = message.answer.map(({ owner }) => formatName(owner));
  if (!owners.includes(claim.through)) yield `the chain does not run through ${claim.through}`;
  if (!message.answer.some(({ type }) => type === TYPE.A)) yield "no address comes back";
  const ids = whose.datacentersOf(message).map(({ id }) => id);
  if (ids.join(" ") !== claim.datacenter)
    yield `names and addresses are those of ${ids.join(" and ") || "no datacenter"}, and not of ${claim.datacenter}`;
  const clouds = new Set(
    message.answer.flatMap((record) => whose.ownersOf(record)).map(({ cloud }) => cloud),
  );
  for (const cloud of clouds)
    if (!claim.datacenter.startsWith(`${cloud}/`)) yield `the chain leads to cloud ${cloud}`;
  const kind = claim.networkKind ?? "office";
  if (location.kind !== kind)
    yield `it is located by ${location.kind === undefined ? location.rule : `a network of kind ${location.kind}`}, and not by one of kind ${kind}`;
  if (claim.secondHop !== undefined && secondHop?.target !== claim.secondHop)
    yield `the front end passes on to ${secondHop?.target ?? "nowhere"}, and not to ${claim.secondHop}`;
  const sent = message.answer.map(formatRecord);
  if (sent.join("\n") !== records.map(({ record }) => record).join("\n"))
    yield "the records that came over UDP are not those that are explained";
  if (message.clientSubnet?.scopePrefixLength !== scope.prefixLength)
    yield `the scope that came is ${message.clientSubnet?.scopePrefixLength ?? "none"}, and the one explained ${scope.prefixLength ?? "none"}`;
}
