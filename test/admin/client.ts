/** Requests to the admin API with whatever headers, as browsers and scripts send them. */

import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { type Admin, type AdminOptions, startAdmin } from "../../src/admin/admin.ts";
import type { Control } from "../../src/admin/control.ts";

/** One on a free port of loopback, without a token, that must not fail inside. */
export const startTestAdmin = (control: Control, options: Partial<AdminOptions> = {}): Promise<Admin> =>
  startAdmin(control, {
    listen: [{ address: "127.0.0.1", family: 4, port: 0 }],
    tokenHash: undefined,
    hosts: [],
    onFault: (error) => {
      throw error;
    },
    ...options,
  });

export const portOf = ({ listening }: Admin): number => {
  const [first] = listening;
  if (first === undefined) throw new Error("it listens nowhere");
  return first.port;
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** the JSON of the text */
  readonly json: unknown;
  /** of an error */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  /** sent as JSON, unless it is a text, which is sent as it is */
  readonly body?: unknown;
}

/** Sends `GET /path`, or another method. */
export async function ask(admin: Admin, line: string, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const response = await send(admin, line, { headers, body });
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  const isJson = response.headers["content-type"] === "application/json" && text !== "";
  const json: unknown = isJson ? JSON.parse(text) : undefined;
  const error = errorOf(json);
  return { status: response.statusCode ?? 0, headers: response.headers, text, json, ...error };
}

/** The response as soon as its headers are there. */
export async function send(
  admin: Admin,
  line: string,
  { headers = {}, body }: Asked,
): Promise<IncomingMessage> {
  const [method = "", path = ""] = line.split(" ");
  const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const type = text === undefined ? {} : { "content-type": "application/json" };
  const length = text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
  const outgoing = request({
    host: "127.0.0.1",
    port: portOf(admin),
    method,
    path,
    headers: { ...type, ...length, ...headers },
    agent: false,
  });
  const responded = once(outgoing, "response");
  outgoing.end(text);
  const [response]: IncomingMessage[] = await responded;
  if (response === undefined) throw new Error("no response");
  return response;
}

/** Octets as they are, and all that comes back until the server closes. */
export async function sendRaw(admin: Admin, text: string): Promise<string> {
  const socket = await open(admin);
  socket.write(text);
  return readAll(socket);
}

export async function open(admin: Admin): Promise<Socket> {
  const socket = connect(portOf(admin), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

export async function readAll(socket: Socket): Promise<string> {
  socket.setEncoding("utf8");
  let text = "";
  try {
    for await (const chunk of socket) text += chunk;
  } catch {
    // A connection that was reset has ended too.
  }
  return text;
}

function errorOf(json: unknown): Pick<Answer, "code" | "message"> {
  if (typeof json !== "object" || json === null || !("error" in json))
    return { code: undefined, message: undefined };
  const { code, message } = json.error as { readonly code: string; readonly message: string };
  return { code, message };
}
