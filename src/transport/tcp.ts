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
import { type Listener, type ListenOptions, type ResponseOctets, receivedIsRead } from "./listener.ts";
import { Outgoing } from "./outgoing.ts";

export interface TcpLimits extends ConnectionLimits {
  /** a connection is closed so long after it was opened or its last answered query came */
  readonly idleSeconds: number;
}

/** Octets of responses a client may leave unread before no more of its queries are read. */
const MAX_UNREAD_OCTETS = 1 << 20;

/** Queries of one connection that are answered before the others have their turn. */
export const QUERIES_PER_TURN = 100;

/** Answers of one connection that are waited for before no more of its queries are read. */
const MAX_PENDING = 100;

/** How long a client may take to read the last responses and close its side when the server ends. */
const CLOSE_MILLISECONDS = 500;

/** Binds and serves; rejects where the address cannot be bound. Listeners that share `connections` share their limits. */
export async function listenTcp(
  { address, port, onFault, ...answering }: ListenOptions,
  limits: TcpLimits,
  connections: Connections = new Connections(limits),
): Promise<Listener> {
  const served = new Set<Connection>();
  const shared = {
    ...answering,
    idleMilliseconds: limits.idleSeconds * 1000,
    connections,
    outgoing: new Outgoing(),
  };
  let isAccepted = false;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const source = sourceOf(socket);
    if (source === undefined) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, source, shared);
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

/** What the connections of a listener share. */
interface Shared extends Pick<ListenOptions, "respond" | "shortcut"> {
  readonly idleMilliseconds: number;
  readonly connections: Connections;
  /** empty between the turns */
  readonly outgoing: Outgoing;
}

/**
 * One connection. Its queries are answered as they are cut from what was read; while some wait there, because it is the
 * turn of others or because it leaves its responses unread, nothing more is read. So what it can make the server keep is
 * the end of one message and one chunk, what Node reads ahead, and the unread responses.
 */
class Connection implements Countable {
  readonly #socket: Socket;
  readonly #source: Source;
  readonly #shared: Shared;
  /** Looks whether the connection is idle for long enough; none while it is not. */
  #idle: NodeJS.Timeout;
  /** when it was opened or its last answered query came, of the clock `performance.now` */
  #renewedAt = performance.now();
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

  constructor(socket: Socket, source: Source, shared: Shared) {
    this.#socket = socket;
    this.#source = source;
    this.#shared = shared;
    this.#idle = this.#closeIdleIn(shared.idleMilliseconds);
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

  /**
   * Only a query that is answered renews the time: octets sent one by one, empty messages and responses hold no connection
   * (RFC 7766 §6.2.3). So it runs out too for who reads too slowly for the next query to be read. The socket is destroyed
   * and not ended: a peer that never closes its side would keep it otherwise. The timer is not moved by each query, but
   * looks when it runs out how much later that is to be.
   */
  #closeIdleIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const { idleMilliseconds } = this.#shared;
      const left =
        this.#pending > 0 ? idleMilliseconds : this.#renewedAt + idleMilliseconds - performance.now();
      if (left > 0) this.#idle = this.#closeIdleIn(left);
      else this.#socket.destroy();
    }, milliseconds);
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
    const { shortcut, outgoing } = this.#shared;
    const input = this.#input;
    const now = performance.now();
    let isAnswered = false;
    shortcut?.begin(this.#source, now);
    for (let taken = 0; taken < QUERIES_PER_TURN && !this.#isHeldUp() && input.next(); taken++) {
      if (this.#answerOne()) isAnswered = true;
    }
    shortcut?.end(input.octets);
    outgoing.send(socket); // one system call for all of them
    if (isAnswered) this.#renew(now);

    const unread = socket.writableLength > MAX_UNREAD_OCTETS;
    this.#waiting = this.#input.hasMessage();
    if (unread) {
      socket.pause();
      socket.once("drain", () => {
        this.#renew(performance.now());
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

  /** Answers the message that was taken; false where the answer is silence. */
  #answerOne(): boolean {
    const { respond, shortcut, outgoing } = this.#shared;
    const input = this.#input;
    if (shortcut !== undefined) {
      const { octets, messageStart, messageEnd } = input;
      const length = shortcut.answer(octets, messageStart, messageEnd, outgoing, outgoing.messageAt);
      if (length > 0) {
        outgoing.addWritten(length);
        return true;
      }
    }
    const response = respond(input.message, this.#source);
    if (response === undefined) return false;
    if (response instanceof Promise) this.#await(response);
    else outgoing.add(response);
    return true;
  }

  /** Whether the client must read, or a handler answer, or the turn end, before more is taken. */
  #isHeldUp(): boolean {
    return (
      this.#shared.outgoing.isFull ||
      this.#socket.writableLength > MAX_UNREAD_OCTETS ||
      this.#pending >= MAX_PENDING
    );
  }

  #await(response: Promise<ResponseOctets>): void {
    this.#pending++;
    void response.then((octets) => {
      const wasFull = this.#pending === MAX_PENDING;
      this.#pending--;
      if (this.#pending === 0) this.#onAnswered?.();
      if (this.#socket.destroyed) return;
      if (octets !== undefined) this.#writeLate(framed(octets));
      this.#renew(performance.now());
      if (this.#waiting) {
        if (wasFull && this.#socket.writableLength <= MAX_UNREAD_OCTETS) this.#answer();
      } else if (this.#pending === 0 && this.#ending !== "no") this.#close();
    });
  }

  /** Answers that were waited for often come several at a time; they go out in one write then. */
  #writeLate(octets: Uint8Array): void {
    const socket = this.#socket;
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(octets);
  }

  #renew(now: number): void {
    this.#renewedAt = now;
    this.#shared.connections.renew(this);
  }
}
