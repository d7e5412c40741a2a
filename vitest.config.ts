import { defineConfig } from "vitest/config";
import { LongestFirst } from "./scripts/test/longest-first.ts";

const exclude = ["**/node_modules/**", "**/dist/**"];
const shared = {
  testTimeout: 30_000,
  hookTimeout: 60_000,
  globalSetup: "./scripts/test/ensure-built.ts",
  // Both runtimes know CommonJS themselves, and under Bun vitest's own way loses namespaces such as zod's `z`.
  deps: { interopDefault: false },
};

export default defineConfig({
  test: {
    // Most of the suite waits for processes: more at once than there are cores.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: "suite",
          include: ["{shared,grader,broker,cli,scripts,test}/**/*.test.ts", "{broker,cli}/**/*.test.tsx"],
          exclude: [...exclude, "test/packed-client/**"],
        },
      },
      // Apart, because it installs the packed client and runs it with the machine's own Node.js.
      {
        test: {
          ...shared,
          name: "packed-client",
          include: ["test/packed-client/*.test.ts"],
          exclude,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
