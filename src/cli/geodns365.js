#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest can read it and say so.
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  console.error(
    `geodns365 needs Node 24 and this is ${process.version}: start it with "npm start" or "npx geodns365", which bring their own`,
  );
  process.exitCode = 2;
} else {
  import("./main.ts").then(({ main }) => main(process.argv));
}
