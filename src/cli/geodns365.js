#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can read it and say so.
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  console.error(
    `geodns365 needs Node 24 and this is ${process.version}: start it with "npm start" or "npx geodns365", which bring their own`,
  );
  process.exitCode = 2;
} else {
  // Modules are kept compiled, their types stripped: the next start takes two thirds of the time and 25 MB less, most of
  // it the stripper's. Kept beside the code, so that nobody can put in what may not write the code; a folder of all users
  // like /tmp would be open to any. Where it cannot be written, nothing is kept and all else is the same.
  process
    .getBuiltinModule("node:module")
    .enableCompileCache(`${import.meta.dirname}/../../node_modules/.cache/geodns365`);
  import("./main.ts").then(({ main }) => main(process.argv));
}
