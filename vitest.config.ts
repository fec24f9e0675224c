import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Worker threads find their modules compiled, types stripped, from the second one on. They start sooner so, and V8 of Node 24
 * has a race in which threads that load and drop WebAssembly, as Node's type stripper is, can end the process (nodejs/node#64500).
 */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/tests") };

// "default" needs npm packages alone; "interop" needs dig, kdig and unbound and fails where one is missing.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "default", include: ["test/**/*.test.ts"], exclude: ["test/interop/**"], env } },
      {
        test: {
          name: "interop",
          env,
          include: ["test/interop/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
