/**
 * The calls of Linux that batch datagrams, through koffi, which is optional: where it is missing, dgram serves. The only
 * importer of `koffi`.
 */

import { getSystemErrorName } from "node:util";
import { type AddressFamily, type Endpoint, parseAddress } from "../ip.ts";

/** Of Linux on every architecture that koffi has binaries for and that these layouts hold for. */
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_REUSEPORT = 15;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const AF_INET = 2;
export const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const EFD_NONBLOCK = 0x800;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITFORONE = 0x10000;
export const POLLIN = 1;
export const EINTR = 4;
export const EAGAIN = 11;
export const EPIPE = 32;

/** How long a call waits for a datagram. */
const RECEIVE_MILLISECONDS = 100;

/** Octets of socket addresses. */
export const SOCKADDR = { family4: 16, family6: 28 } as const;

export type FileDescriptor = number;

/** Each returns what the call does, or the negative errno. */
export interface Syscalls {
  /** `headers` is the address of an array of struct mmsghdr: looking into a typed array for it takes longer than all else. */
  recvmmsg(fd: FileDescriptor, headers: number, count: number, flags: number): number;
  sendmmsg(fd: FileDescriptor, headers: number, count: number, flags: number): number;
  /** `descriptors` is an array of struct pollfd */
  poll(descriptors: Int32Array, count: number, timeoutMilliseconds: number): number;
  connect(fd: FileDescriptor, address: Uint8Array): number;
  read(fd: FileDescriptor, octets: Uint8Array): number;
  write(fd: FileDescriptor, octets: Uint8Array): number;
  close(fd: FileDescriptor): number;
  /** Stops the thread for the shortest time that the kernel's timers know: some 60 microseconds (prctl(2), PR_SET_TIMERSLACK). */
  pause(): void;
  /** A counter to wake a thread by that waits in poll. */
  eventfd(): FileDescriptor;
  /** Binds a socket; throws what Node throws, with a `code`. */
  openUdp(at: Endpoint, options: UdpOptions): { readonly fd: FileDescriptor; readonly port: number };
  /** Gives memory back that was freed and is kept for the next who asks; nothing where the C library has no such call. */
  trim(): void;
  /** Where the memory of an array begins. */
  addressOf(octets: Uint8Array): number;
}

export interface UdpOptions {
  /**
   * Whether several sockets share the address, so that the kernel spreads askers over them. The first of them finds out that
   * nobody else has it: sockets that may share when they are bound would share with those of another server, too.
   */
  readonly sharing: "none" | "first" | "next";
  /** each datagram comes with the address that was asked */
  readonly packetInfo: boolean;
  /** asked for, before and behind the server; the kernel gives what it allows */
  readonly bufferOctets: number;
}

/** Undefined, with the reason, where datagrams cannot be batched. */
export async function loadSyscalls(): Promise<Syscalls | string> {
  if (process.platform !== "linux") return `${process.platform} has no recvmmsg`;
  if (process.arch !== "x64" && process.arch !== "arm64") return `no layouts for ${process.arch}`;
  try {
    const { default: koffi } = await import("koffi");
    return bindCalls(koffi);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND"
      ? "the optional package koffi is not installed"
      : `koffi cannot be loaded: ${error instanceof Error ? error.message : error}`;
  }
}

type Koffi = typeof import("koffi")["default"];

function bindCalls(koffi: Koffi): Syscalls {
  const libc = koffi.load(null);
  const calls = {
    socket: libc.func("int socket(int domain, int type, int protocol)"),
    setsockopt: libc.func("int setsockopt(int fd, int level, int name, void *value, uint32_t length)"),
    bind: libc.func("int bind(int fd, void *address, uint32_t length)"),
    getsockname: libc.func("int getsockname(int fd, void *address, void *length)"),
    connect: libc.func("int connect(int fd, void *address, uint32_t length)"),
    recvmmsg: libc.func("int recvmmsg(int fd, uintptr_t headers, uint32_t count, int flags, void *timeout)"),
    sendmmsg: libc.func("int sendmmsg(int fd, uintptr_t headers, uint32_t count, int flags)"),
    poll: libc.func("int poll(void *descriptors, unsigned long count, int timeout)"),
    read: libc.func("long read(int fd, void *octets, size_t length)"),
    write: libc.func("long write(int fd, void *octets, size_t length)"),
    close: libc.func("int close(int fd)"),
    usleep: libc.func("int usleep(uint32_t microseconds)"),
    eventfd: libc.func("int eventfd(unsigned int start, int flags)"),
  };
  const trim = findTrim(libc);
  const result = (value: number): number => (value < 0 ? -koffi.errno() : value);
  const check = (value: number, call: string): number => {
    if (value >= 0) return value;
    const code = getSystemErrorName(-koffi.errno());
    throw Object.assign(new Error(`${call} ${code}`), { code });
  };
  const setOption = (fd: FileDescriptor, level: number, name: number, value: number): number =>
    calls.setsockopt(fd, level, name, Int32Array.of(value), 4);
  return {
    recvmmsg: (fd, headers, count, flags) => result(calls.recvmmsg(fd, headers, count, flags, null)),
    sendmmsg: (fd, headers, count, flags) => result(calls.sendmmsg(fd, headers, count, flags)),
    poll: (descriptors, count, timeout) => result(calls.poll(descriptors, count, timeout)),
    connect: (fd, address) => result(calls.connect(fd, address, address.length)),
    read: (fd, octets) => result(Number(calls.read(fd, octets, octets.length))),
    write: (fd, octets) => result(Number(calls.write(fd, octets, octets.length))),
    close: (fd) => result(calls.close(fd)),
    pause: () => {
      calls.usleep(1);
    },
    eventfd: () => check(calls.eventfd(0, EFD_NONBLOCK | SOCK_CLOEXEC), "eventfd"),
    openUdp: (at, { sharing, packetInfo, bufferOctets }) => {
      const { family } = at;
      const domain = family === 4 ? AF_INET : AF_INET6;
      const fd = check(calls.socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
      try {
        if (family === 6) check(setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), "setsockopt");
        if (sharing === "next") check(setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1), "setsockopt");
        if (packetInfo) {
          const [level, name] = family === 4 ? [IPPROTO_IP, IP_PKTINFO] : [IPPROTO_IPV6, IPV6_RECVPKTINFO];
          check(setOption(fd, level, name, 1), "setsockopt");
        }
        // struct timeval: seconds and microseconds.
        const timeout = BigInt64Array.of(0n, BigInt(RECEIVE_MILLISECONDS * 1000));
        check(calls.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16), "setsockopt");
        setOption(fd, SOL_SOCKET, SO_RCVBUF, bufferOctets);
        setOption(fd, SOL_SOCKET, SO_SNDBUF, bufferOctets);
        const address = socketAddress(at);
        check(calls.bind(fd, address, address.length), "bind");
        if (sharing === "first") check(setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1), "setsockopt");
        check(calls.getsockname(fd, address, Uint32Array.of(address.length)), "getsockname");
        return { fd, port: portOf(address, 0) };
      } catch (error) {
        calls.close(fd);
        throw error;
      }
    },
    trim: () => {
      trim?.(0);
    },
    addressOf: (octets) => Number(koffi.address(octets)),
  };
}

/** A call that glibc has and musl has not. */
function findTrim(libc: ReturnType<Koffi["load"]>): ((pad: number) => number) | undefined {
  try {
    return libc.func("int malloc_trim(size_t pad)");
  } catch {
    return undefined;
  }
}

/** The struct sockaddr_in or sockaddr_in6 of an endpoint. */
export function socketAddress({ address, family, port }: Endpoint): Buffer {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`"${address}" is not an address`);
  return socketAddressOf(family, parsed.octets, port);
}

export function socketAddressOf(family: AddressFamily, address: Uint8Array, port: number): Buffer {
  const octets = Buffer.alloc(family === 4 ? SOCKADDR.family4 : SOCKADDR.family6);
  octets.writeUInt16LE(family === 4 ? AF_INET : AF_INET6, 0);
  octets.writeUInt16BE(port, 2);
  octets.set(address, addressOffset(family));
  return octets;
}

/** Where the address stands in a socket address. */
export const addressOffset = (family: AddressFamily): 4 | 8 => (family === 4 ? 4 : 8);

/** The port in a socket address that begins at `at`. */
export const portOf = (octets: Uint8Array, at: number): number =>
  ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0);
