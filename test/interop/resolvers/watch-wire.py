"""Watches the loopback of its network namespace for packets that are neither to 127.0.0.0/8 or ::1, nor to a server or from
its port 53, nor DNS over UDP.

Usage: watch-wire.py SERVER [ADDRESS]... DNS over UDP is passed over only with these addresses, or with all where none is named.
Prints "watching" when it does, and at the end of its standard input, as JSON, how many packets went where:
{"udp 198.41.0.4 853": 2}, or fails where the kernel had to leave some out.
"""

import ctypes
import ipaddress
import json
import select
import socket
import struct
import sys

ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
PACKET_STATISTICS = 6
SOL_PACKET = 263

def passing_over(server):
    """Classic BPF, from the IP header on: (code, jump if true, jump if false, operand)."""
    return [
        (0x30, 0, 0, 0),  # the first octet
        (0x54, 0, 0, 0xF0),
        (0x15, 0, 8, 0x40),  # IPv4?
        (0x20, 0, 0, 16),  # its destination
        (0x15, 14, 0, server),
        (0x54, 0, 0, 0xFF000000),
        (0x15, 12, 0, 0x7F000000),
        (0x20, 0, 0, 12),  # its source
        (0x15, 0, 11, server),
        (0x28, 0, 0, 20),  # the port of that
        (0x15, 8, 9, 53),
        (0x20, 0, 0, 24),  # the destination of IPv6
        (0x15, 0, 7, 0),
        (0x20, 0, 0, 28),
        (0x15, 0, 5, 0),
        (0x20, 0, 0, 32),
        (0x15, 0, 3, 0),
        (0x20, 0, 0, 36),
        (0x15, 0, 1, 1),
        (0x06, 0, 0, 0),  # passed over
        (0x06, 0, 0, 0xFFFF),
    ]


def attach(wire, steps):
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(steps), ctypes.addressof(held))
    wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def told(packet, passed):
    """Where a packet goes, in words, or None where it is passed over."""
    if packet[0] >> 4 == 4:
        addresses, protocol, payload = (packet[12:16], packet[16:20]), packet[9], packet[(packet[0] & 15) * 4 :]
    else:
        addresses, protocol, payload = (packet[8:24], packet[24:40]), packet[6], packet[40:]
    words = [str(ipaddress.ip_address(address)) for address in addresses]
    name = {6: "tcp", 17: "udp"}.get(protocol)
    ports = struct.unpack("!HH", payload[:4]) if name else ()
    if name == "udp" and any(port == 53 and (not passed or word in passed) for port, word in zip(ports, words)):
        return None
    return " ".join([name or f"protocol {protocol}", words[1], *map(str, ports[1:])])


def main(server, passed):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    attach(wire, passing_over(int(ipaddress.IPv4Address(server))))
    wire.bind(("lo", ETH_P_ALL))
    print("watching", flush=True)
    counts = {}
    ended = False
    while True:
        ready, _, _ = select.select([wire] if ended else [wire, sys.stdin], [], [], 0 if ended else None)
        if wire in ready:
            packet, (_, _, direction, *_) = wire.recvfrom(65535)
            where = told(packet, passed)
            # What is sent over loopback is seen twice, once as received.
            if direction == socket.PACKET_OUTGOING and where is not None:
                counts[where] = counts.get(where, 0) + 1
        elif ended:
            break
        if sys.stdin in ready and not sys.stdin.readline():
            ended = True
    _, dropped = struct.unpack("II", wire.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    if dropped:
        sys.exit(f"{dropped} packets were left out")
    print(json.dumps(counts))


main(sys.argv[1], set(sys.argv[2:]))
