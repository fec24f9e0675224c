/** One tailored name of the lab, over UDP or TCP. */

import { join } from "node:path";
import type { Flags } from "../flags.ts";
import { checkAnswers, type QuestionKind, queriesOf, questionKinds } from "../lab.ts";
import { type MessageFile, writeMessages } from "../load.ts";
import type { Plan, Table } from "../plan.ts";
import { bind } from "../servers/bind.ts";
import { dns2 } from "../servers/dns2.ts";
import { echoInC, echoInNode } from "../servers/echo.ts";
import { gdnsdAddresses, gdnsdCname } from "../servers/gdnsd.ts";
import { geodns365, geodns365Logging } from "../servers/geodns365.ts";
import { knot } from "../servers/knot.ts";
import { nsd } from "../servers/nsd.ts";
import { powerdns } from "../servers/powerdns.ts";

const START_LIMIT_MILLISECONDS = 30_000;
const MESSAGES_IN_FILE = 1000;

const titles: Readonly<Record<QuestionKind, string>> = {
  ecs: "outlook.office365.com A with a client subnet, from ten networks in turn",
  plain: "outlook.office365.com A without EDNS, from loopback",
};

export function labPlan(folder: string, { queries, inFlight }: Flags): Plan {
  const tables = inFlight.flatMap((each) =>
    questionKinds.map((kind): Table => {
      const file = writeQueries(folder, kind);
      return {
        title: `${titles[kind]}, ${each} under way`,
        shape: { transport: "udp", connections: 1, inFlight: each },
        ...{ file, warmUpFile: file, queries, probesLatency: true },
      };
    }),
  );
  const floors = [echoInNode, echoInC];
  const peers = [gdnsdCname, gdnsdAddresses, knot, powerdns, nsd, bind, dns2];
  return { ...shared("udp"), tables, servers: [...geodns365, geodns365Logging, ...peers, ...floors] };
}

const CONNECTIONS = 8;

/** Of the queries: connections cost some ten times what queries do. */
const CONNECTIONS_SHARE = 0.1;

export function tcpPlan(folder: string, { queries, inFlight }: Flags): Plan {
  const file = writeQueries(folder, "ecs");
  const files = { file, warmUpFile: file };
  const transport = "tcp";
  const connections = CONNECTIONS;
  const pipelined = inFlight.map(
    (each): Table => ({
      title: `${titles.ecs}, over ${CONNECTIONS} TCP connections, ${each} under way`,
      shape: { transport, connections, inFlight: each },
      ...{ ...files, queries, probesLatency: false },
    }),
  );
  const oneByOne: Table = {
    title: `${titles.ecs}, one query a TCP connection, ${CONNECTIONS} at a time`,
    shape: { transport, connections, inFlight: CONNECTIONS, connectsForEach: true },
    ...{ ...files, queries: Math.ceil(queries * CONNECTIONS_SHARE), probesLatency: false },
  };
  return {
    ...shared(transport),
    tables: [...pipelined, oneByOne],
    servers: [...geodns365, gdnsdCname, gdnsdAddresses, knot, powerdns, nsd, bind, dns2],
  };
}

const shared = (
  transport: "udp" | "tcp",
): Pick<Plan, "check" | "firstMessage" | "startLimitMilliseconds"> => ({
  firstMessage: queriesOf("plain")[0] ?? Buffer.alloc(0),
  startLimitMilliseconds: START_LIMIT_MILLISECONDS,
  check: async ({ answers }, port) => {
    const ecs = await checkAnswers(answers, port, "ecs", transport);
    const plain = await checkAnswers(answers, port, "plain", transport);
    return `${ecs}; without ECS ${plain}`;
  },
});

function writeQueries(folder: string, kind: QuestionKind): MessageFile {
  const messages = queriesOf(kind);
  const times = MESSAGES_IN_FILE / messages.length;
  return writeMessages(
    join(folder, `${kind}.messages`),
    Array.from({ length: times }, () => messages).flat(),
  );
}
