"""Sends one DNS query to a port of 127.0.0.1 from source port 0, through a raw socket (RFC 768 header by hand)."""

import socket
import struct
import sys

port = int(sys.argv[1])
query = bytes.fromhex("000101000001000000000000") + b"\x09office365\x03com\x00" + bytes.fromhex("00060001")
datagram = struct.pack("!HHHH", 0, port, 8 + len(query), 0) + query
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    raw.sendto(datagram, ("127.0.0.1", 0))
