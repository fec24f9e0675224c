/** Sends every datagram back with QR set. Argument: port. */

import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (message, { address, port }) => {
  message[2] = (message[2] ?? 0) | 0x80;
  socket.send(message, port, address);
});
socket.bind(Number(process.argv[2]), "127.0.0.1");
