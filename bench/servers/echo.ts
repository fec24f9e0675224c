/** The floors: the query turned round with QR set, in C with recvmmsg and sendmmsg, and on a dgram socket in Node. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { findProgram, type Server } from "./server.ts";

export const echoInC: Server = {
  name: "echo, in C",
  answers: "echo",
  find: async () => {
    const compiler = await findProgram("cc", "--version", /([\d.]+)$/m);
    return compiler.kind === "missing"
      ? { kind: "missing", why: "cc is not installed" }
      : { kind: "found", version: `cc ${compiler.version}` };
  },
  configure: (folder, port) => {
    const program = join(folder, "echo");
    execFileSync("cc", ["-O2", "-Wall", "-o", program, join(import.meta.dirname, "echo.c")]);
    return { program, args: [String(port)] };
  },
};

export const echoInNode: Server = {
  name: "echo, in Node",
  answers: "echo",
  find: async () => ({ kind: "found", version: `Node ${process.versions.node}` }),
  configure: (_folder, port) => ({
    program: process.execPath,
    args: [join(import.meta.dirname, "echo-server.ts"), String(port)],
  }),
};
