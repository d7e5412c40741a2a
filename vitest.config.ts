import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "**/dist/**"];
const limits = { testTimeout: 30_000, hookTimeout: 60_000, globalSetup: "./scripts/test/built.ts" };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits,
          name: "suite",
          include: ["{shared,grader,broker,cli,scripts,test}/**/*.test.ts", "{broker,cli}/**/*.test.tsx"],
          exclude: [...exclude, "test/packed-client/**"],
        },
      },
      // Apart, because it installs the packed client and runs it with the machine's own Node.js.
      {
        test: {
          ...limits,
          name: "packed-client",
          include: ["test/packed-client/*.test.ts"],
          exclude,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
