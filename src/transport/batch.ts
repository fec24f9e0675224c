/** Datagrams by the batch: up to 64 with one recvmmsg, their answers with one sendmmsg, all in memory that stays. */

import { AF_INET6, type FileDescriptor, SOCKADDR, type Syscalls } from "./syscalls.ts";

/** More of them save little more time, and make the first one wait. */
export const BATCH = 64;

/** A datagram can have so many octets; the rest keeps those of a batch from sharing the same lines of the processor's cache. */
const RECEIVED_STRIDE = 65_536 + 192;
/** Room for one response, and one word more, since it is written by the word. */
const SENT_STRIDE = 4096 + 64;

/** struct mmsghdr and struct iovec of 64-bit Linux, in 32-bit words. */
const HEADER_WORDS = 16;
const HEADER = {
  name: 0,
  nameLength: 2,
  vector: 4,
  vectorLength: 6,
  control: 8,
  controlLength: 10,
  received: 14,
} as const;
const VECTOR_WORDS = 4;
const VECTOR = { base: 0, length: 2 } as const;

/** Who sent a datagram: a socket address, and behind it the control data that says which address was asked. In octets. */
export const PEER = { control: 32, octets: 80 } as const;

/** struct cmsghdr, and behind it struct in_pktinfo or in6_pktinfo. */
const CMSG_DATA = 16;
const PACKET_INFO_4 = { octets: 12, space: 32, source: 4, destination: 8 } as const;
const PACKET_INFO_6 = { octets: 20, space: 40, index: 16 } as const;
const CONTROL_OCTETS = PEER.octets - PEER.control;

/** Room of one thread; of one batch at a time. */
export class Batch {
  /** the datagrams, each from `startOf(i)` on */
  readonly received = new Uint8Array(new ArrayBuffer(BATCH * RECEIVED_STRIDE));
  /** the responses, each from `outAt` on, which is a multiple of 4 */
  readonly sent: { readonly octets: Uint8Array; readonly words: Int32Array };
  /** for each datagram who sent it: PEER.octets */
  readonly peers = new Uint8Array(new ArrayBuffer(BATCH * PEER.octets));
  readonly #syscalls: Syscalls;
  readonly #receiveHeaders = new Int32Array(new ArrayBuffer(BATCH * HEADER_WORDS * 4));
  readonly #receiveAddress: number;
  readonly #receiveVectors = new Int32Array(new ArrayBuffer(BATCH * VECTOR_WORDS * 4));
  readonly #sendHeaders = new Int32Array(new ArrayBuffer(BATCH * HEADER_WORDS * 4));
  readonly #sendAddress: number;
  readonly #sendVectors = new Int32Array(new ArrayBuffer(BATCH * VECTOR_WORDS * 4));
  #responses = 0;
  /** datagrams of the last batch, and the room for control data that it was received with; -1 before the first */
  #received = BATCH;
  #controlLength = -1;

  constructor(syscalls: Syscalls) {
    this.#syscalls = syscalls;
    const memory = new ArrayBuffer(BATCH * SENT_STRIDE);
    this.sent = { octets: new Uint8Array(memory), words: new Int32Array(memory) };
    this.#receiveAddress = syscalls.addressOf(new Uint8Array(this.#receiveHeaders.buffer));
    this.#sendAddress = syscalls.addressOf(new Uint8Array(this.#sendHeaders.buffer));
    const peers = syscalls.addressOf(this.peers);
    const payloads = syscalls.addressOf(this.received);
    const responses = syscalls.addressOf(this.sent.octets);
    const receiveVectors = syscalls.addressOf(new Uint8Array(this.#receiveVectors.buffer));
    const sendVectors = syscalls.addressOf(new Uint8Array(this.#sendVectors.buffer));
    for (let i = 0; i < BATCH; i++) {
      const header = i * HEADER_WORDS;
      const vector = i * VECTOR_WORDS;
      setPointer(this.#receiveHeaders, header + HEADER.name, peers + i * PEER.octets);
      setPointer(this.#receiveHeaders, header + HEADER.control, peers + i * PEER.octets + PEER.control);
      setPointer(this.#receiveHeaders, header + HEADER.vector, receiveVectors + vector * 4);
      this.#receiveHeaders[header + HEADER.vectorLength] = 1;
      setPointer(this.#receiveVectors, vector + VECTOR.base, payloads + i * RECEIVED_STRIDE);
      this.#receiveVectors[vector + VECTOR.length] = RECEIVED_STRIDE;
      setPointer(this.#sendHeaders, header + HEADER.vector, sendVectors + vector * 4);
      this.#sendHeaders[header + HEADER.vectorLength] = 1;
      setPointer(this.#sendVectors, vector + VECTOR.base, responses + i * SENT_STRIDE);
    }
  }

  /**
   * Receives what is there: with MSG_WAITFORONE waits for the first datagram, with MSG_DONTWAIT not even for that. Returns how
   * many, or the negative errno.
   */
  receive(fd: FileDescriptor, hasPacketInfo: boolean, flags: number): number {
    const headers = this.#receiveHeaders;
    const controlLength = hasPacketInfo ? CONTROL_OCTETS : 0;
    // The kernel has written over those that it filled.
    const written = controlLength === this.#controlLength ? this.#received : BATCH;
    for (let i = 0, at = 0; i < written; i++, at += HEADER_WORDS) {
      headers[at + HEADER.nameLength] = SOCKADDR.family6;
      headers[at + HEADER.controlLength] = controlLength;
    }
    this.#responses = 0;
    const count = this.#syscalls.recvmmsg(fd, this.#receiveAddress, BATCH, flags);
    this.#received = count > 0 ? count : 0;
    this.#controlLength = controlLength;
    return count;
  }

  /** Where a datagram begins. */
  startOf(i: number): number {
    return i * RECEIVED_STRIDE;
  }

  /** Octets of a datagram. */
  lengthOf(i: number): number {
    return this.#receiveHeaders[i * HEADER_WORDS + HEADER.received] ?? 0;
  }

  /** Where the next response is to be written. */
  get outAt(): number {
    return this.#responses * SENT_STRIDE;
  }

  /** Adds the response that was written at `outAt`, to the sender of a datagram. */
  respond(i: number, length: number): void {
    const from = i * HEADER_WORDS;
    const to = this.#responses * HEADER_WORDS;
    const received = this.#receiveHeaders;
    const headers = this.#sendHeaders;
    headers[to + HEADER.name] = received[from + HEADER.name] ?? 0;
    headers[to + HEADER.name + 1] = received[from + HEADER.name + 1] ?? 0;
    headers[to + HEADER.nameLength] = received[from + HEADER.nameLength] ?? 0;
    const controlLength = received[from + HEADER.controlLength] ?? 0;
    headers[to + HEADER.controlLength] = controlLength;
    if (controlLength !== 0) {
      headers[to + HEADER.control] = received[from + HEADER.control] ?? 0;
      headers[to + HEADER.control + 1] = received[from + HEADER.control + 1] ?? 0;
      turnPacketInfo(this.peers, i * PEER.octets);
    } else {
      headers[to + HEADER.control] = 0;
      headers[to + HEADER.control + 1] = 0;
    }
    this.#sendVectors[this.#responses * VECTOR_WORDS + VECTOR.length] = length;
    this.#responses++;
  }

  get responses(): number {
    return this.#responses;
  }

  /** Sends all responses; one that cannot be sent is left out, and its errno told. */
  send(fd: FileDescriptor, onFault: (errno: number) => void): void {
    for (let sent = 0; sent < this.#responses; ) {
      const headers = this.#sendAddress + sent * HEADER_WORDS * 4;
      const result = this.#syscalls.sendmmsg(fd, headers, this.#responses - sent, 0);
      if (result >= 0) sent += result;
      else {
        onFault(-result);
        sent++;
      }
    }
  }
}

/** Whether the peer that begins at `at` is of family 6. */
export const isFamily6 = (peers: Uint8Array, at: number): boolean => peers[at] === AF_INET6;

/**
 * Makes of the packet information that came with a datagram, which begins behind the peer at `peerAt`, that of its answer: from
 * the address that was asked (RFC 3542 §4.1 has it for IPv6). By which interface it goes is left to the routes, but for
 * link-local addresses, which mean nothing without one.
 */
export function turnPacketInfo(peers: Uint8Array, peerAt: number): void {
  const info = peerAt + PEER.control + CMSG_DATA;
  if (isFamily6(peers, peerAt)) {
    const isLinkLocal = peers[info] === 0xfe && ((peers[info + 1] ?? 0) & 0xc0) === 0x80;
    if (!isLinkLocal) peers.fill(0, info + PACKET_INFO_6.index, info + PACKET_INFO_6.octets);
    return;
  }
  peers.fill(0, info, info + PACKET_INFO_4.source);
  // A datagram to a broadcast address is answered from the interface's own, which the kernel has put there.
  if (peers[info + PACKET_INFO_4.source] === 0) {
    peers.copyWithin(
      info + PACKET_INFO_4.source,
      info + PACKET_INFO_4.destination,
      info + PACKET_INFO_4.destination + 4,
    );
  }
}

/** A message to one peer, outside of any batch. */
export class SingleSend {
  readonly #syscalls: Syscalls;
  readonly #header = new Int32Array(new ArrayBuffer(HEADER_WORDS * 4));
  readonly #headerAddress: number;
  readonly #vector = new Int32Array(new ArrayBuffer(VECTOR_WORDS * 4));
  readonly #peer = new Uint8Array(new ArrayBuffer(PEER.octets));
  readonly #octets = new Uint8Array(new ArrayBuffer(65_536));
  readonly #controlAddress: number;

  constructor(syscalls: Syscalls) {
    this.#syscalls = syscalls;
    this.#headerAddress = syscalls.addressOf(new Uint8Array(this.#header.buffer));
    const peer = syscalls.addressOf(this.#peer);
    this.#controlAddress = peer + PEER.control;
    setPointer(this.#header, HEADER.name, peer);
    setPointer(this.#header, HEADER.vector, syscalls.addressOf(new Uint8Array(this.#vector.buffer)));
    this.#header[HEADER.vectorLength] = 1;
    setPointer(this.#vector, VECTOR.base, syscalls.addressOf(this.#octets));
  }

  /** Sends to a peer as it was handed over; returns 0 or the errno. */
  send(fd: FileDescriptor, octets: Uint8Array, peer: Uint8Array, hasPacketInfo: boolean): number {
    this.#peer.set(peer);
    const is6 = isFamily6(peer, 0);
    this.#header[HEADER.nameLength] = is6 ? SOCKADDR.family6 : SOCKADDR.family4;
    setPointer(this.#header, HEADER.control, hasPacketInfo ? this.#controlAddress : 0);
    const space = is6 ? PACKET_INFO_6.space : PACKET_INFO_4.space;
    this.#header[HEADER.controlLength] = hasPacketInfo ? space : 0;
    if (hasPacketInfo) turnPacketInfo(this.#peer, 0);
    this.#octets.set(octets);
    this.#vector[VECTOR.length] = octets.length;
    const result = this.#syscalls.sendmmsg(fd, this.#headerAddress, 1, 0);
    return result < 0 ? -result : 0;
  }
}

/** A pointer as two words, least significant first; those of a process are below 2^53. */
function setPointer(words: Int32Array, at: number, address: number): void {
  words[at] = (address % 2 ** 32) | 0;
  words[at + 1] = Math.floor(address / 2 ** 32);
}
