import { defineConfig } from "vitest/config";

// "default" needs npm packages alone; "interop" needs dig, kdig and unbound and fails where one is missing.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "default", include: ["test/**/*.test.ts"], exclude: ["test/interop/**"] } },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
