/**
 * TCP (RFC 7766): messages behind a length of two octets, any number a connection, answered in the order they come. Only
 * an answer that has to be waited for lets others pass it (§6.2.1.1).
 */

import { createServer, type Socket } from "node:net";
import type { IpAddress } from "../ip.ts";
import type { Source } from "../trace.ts";
import { withoutScope } from "./addresses.ts";
import { type ConnectionLimits, Connections, type Countable } from "./connections.ts";
import { framed, MessageBuffer } from "./framing.ts";
import {
  type Listener,
  type ListenOptions,
  type Respond,
  type ResponseOctets,
  receivedIsRead,
} from "./listener.ts";

export interface TcpLimits extends ConnectionLimits {
  /** a connection is closed so long after it was opened or its last answered query came */
  readonly idleSeconds: number;
}

/** Octets of responses a client may leave unread before no more of its queries are read. */
const MAX_UNREAD_OCTETS = 1 << 20;

/** Queries of one connection that are answered before the others have their turn. */
const QUERIES_PER_TURN = 100;

/** Answers of one connection that are waited for before no more of its queries are read. */
const MAX_PENDING = 100;

/** How long a client may take to read the last responses and close its side when the server ends. */
const CLOSE_MILLISECONDS = 500;

/** Binds and serves; rejects where the address cannot be bound. Listeners that share `connections` share their limits. */
export async function listenTcp(
  { address, port, respond, onFault }: ListenOptions,
  limits: TcpLimits,
  connections: Connections = new Connections(limits),
): Promise<Listener> {
  const served = new Set<Connection>();
  let isAccepted = false;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const source = sourceOf(socket);
    if (source === undefined) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, source, respond, limits.idleSeconds, connections);
    if (!connections.admit(connection)) {
      connection.destroy();
      return;
    }
    served.add(connection);
    isAccepted = true;
    socket.once("close", () => {
      served.delete(connection);
      connections.remove(connection);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: true }, () => {
      server.off("error", reject);
      server.on("error", onFault);
      resolve();
    });
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    close: async () => {
      // Before the socket is closed: a connection that waits to be accepted would be reset, and the queries it sent with it.
      await receivedIsRead(() => {
        const news = [...served].filter((connection) => connection.takeNews());
        const hasNews = isAccepted || news.length > 0;
        isAccepted = false;
        return hasNews;
      });
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...served].map((connection) => connection.finish()));
      const patience = setTimeout(() => {
        for (const connection of served) connection.destroy();
      }, CLOSE_MILLISECONDS);
      await closed;
      clearTimeout(patience);
    },
  };
}

/** Undefined where the peer has gone already. */
function sourceOf({ remoteAddress, remotePort }: Socket): Source | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { address: withoutScope(remoteAddress), port: remotePort, transport: "tcp" };
}

/**
 * One connection. Its queries are answered as they are cut from what was read; while some wait there, because it is the
 * turn of others or because it leaves its responses unread, nothing more is read. So what it can make the server keep is
 * the end of one message and one chunk, what Node reads ahead, and the unread responses.
 */
class Connection implements Countable {
  readonly #socket: Socket;
  readonly #source: Source;
  readonly #respond: Respond;
  readonly #connections: Connections;
  readonly #idle: NodeJS.Timeout;
  readonly #input = new MessageBuffer();
  /** complete queries wait in the input */
  #waiting = false;
  /** answers that are waited for */
  #pending = 0;
  #onAnswered: (() => void) | undefined;
  /** queries were looked for since somebody asked */
  #hasNews = false;
  /** no further query is to be answered: the client has closed its side, or the server ends */
  #ending: "no" | "client" | "server" = "no";

  constructor(
    socket: Socket,
    source: Source,
    respond: Respond,
    idleSeconds: number,
    connections: Connections,
  ) {
    this.#socket = socket;
    this.#source = source;
    this.#respond = respond;
    this.#connections = connections;
    // Only a query that is answered renews the time: octets sent one by one, empty messages and responses hold no
    // connection (RFC 7766 §6.2.3). So it runs out too for who reads too slowly for the next query to be read. The socket is destroyed and not ended: a peer
    // that never closes its side would keep it otherwise.
    this.#idle = setTimeout(() => {
      if (this.#pending > 0) this.#idle.refresh();
      else socket.destroy();
    }, idleSeconds * 1000);
    socket.on("data", (chunk) => {
      if (this.#ending === "server") return;
      this.#input.push(chunk);
      this.#answer();
    });
    // Node may tell of the end while queries wait.
    socket.on("end", () => this.#end("client"));
    // A reset is the peer's business.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => clearTimeout(this.#idle));
  }

  get address(): IpAddress {
    return this.#source.address;
  }

  isIdle(): boolean {
    return !this.#waiting && this.#pending === 0 && this.#socket.writableLength === 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Whether anything came since this was asked last, or may come as soon as handlers have answered. */
  takeNews(): boolean {
    const news = this.#hasNews || (this.#waiting && this.#pending > 0);
    this.#hasNews = false;
    return news;
  }

  /** Answers what was read, then closes its side; settles when nothing is waited for any more. */
  async finish(): Promise<void> {
    this.#end("server");
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#onAnswered = resolve;
    });
  }

  #end(by: "client" | "server"): void {
    this.#ending = by;
    if (!this.#waiting && this.#pending === 0) this.#close();
  }

  /** Ends our side and waits for the peer's: destroyed with octets unread, TCP would take the last responses back. */
  #close(): void {
    this.#socket.end();
    this.#socket.resume();
  }

  /** Answers queries that are complete, until none is left or it is the turn of others. */
  #answer(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    this.#hasNews = true;
    let taken = 0;
    let answered = false;
    socket.cork(); // one system call for all of them
    for (; taken < QUERIES_PER_TURN && !this.#isHeldUp(); taken++) {
      const message = this.#input.take();
      if (message === undefined) break;
      const response = this.#respond(message, this.#source);
      if (response === undefined) continue;
      answered = true;
      if (response instanceof Promise) this.#await(response);
      else socket.write(framed(response));
    }
    socket.uncork();
    if (answered) this.#renew();

    const unread = socket.writableLength > MAX_UNREAD_OCTETS;
    this.#waiting = this.#input.hasMessage();
    if (unread) {
      socket.pause();
      socket.once("drain", () => {
        this.#renew();
        this.#answer();
      });
    } else if (this.#waiting) {
      socket.pause();
      if (this.#pending < MAX_PENDING) setImmediate(() => this.#answer());
    } else if (this.#ending !== "no") {
      if (this.#pending === 0) this.#close();
    } else {
      socket.resume();
    }
  }

  /** Whether the client must read, or a handler answer, before more is taken. */
  #isHeldUp(): boolean {
    return this.#socket.writableLength > MAX_UNREAD_OCTETS || this.#pending >= MAX_PENDING;
  }

  #await(response: Promise<ResponseOctets>): void {
    this.#pending++;
    void response.then((octets) => {
      const wasFull = this.#pending === MAX_PENDING;
      this.#pending--;
      if (this.#pending === 0) this.#onAnswered?.();
      if (this.#socket.destroyed) return;
      if (octets !== undefined) this.#socket.write(framed(octets));
      this.#renew();
      if (this.#waiting) {
        if (wasFull && this.#socket.writableLength <= MAX_UNREAD_OCTETS) this.#answer();
      } else if (this.#pending === 0 && this.#ending !== "no") this.#close();
    });
  }

  #renew(): void {
    this.#idle.refresh();
    this.#connections.renew(this);
  }
}
