import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { LongestFirst } from "./scripts/test/longest-first.ts";
import { testFiles, UNDER_BOTH_VARIABLE } from "./scripts/test/projects.ts";
import { RESULTS_VARIABLE, ResultsReporter } from "./scripts/test/results-reporter.ts";

const results = process.env[RESULTS_VARIABLE];
const runtime = process.versions.bun === undefined ? "node" : "bun";
const files = testFiles(runtime === "bun", { underBoth: process.env[UNDER_BOTH_VARIABLE] !== undefined });

export default defineConfig({
  test: {
    // Most of the suite waits for processes: more at once than there are cores.
    maxWorkers: 4,
    // One for each runtime, so that both may run at the same time.
    experimental: { fsModuleCachePath: `node_modules/.vitest-modules/${runtime}` },
    sequence: { sequencer: LongestFirst },
    reporters: ["default", ...(results ? [new ResultsReporter(results)] : [])],
    projects: [
      project("unit"),
      project("suite", { needsBuild: true }),
      project("large", { needsBuild: true, ownProcesses: true }),
      project("packed-client", { needsBuild: true }),
    ],
  },
});

function project(
  name: keyof typeof files,
  { needsBuild = false, ownProcesses = false } = {},
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      ...files[name],
      // Files share a process, and with it what they import: no module of ours keeps state of its own.
      isolate: ownProcesses,
      setupFiles: ["./scripts/test/real-timers.ts"],
      // Generous: a limit is there to end what hangs, not to measure a machine that is busy with other work.
      testTimeout: 180_000,
      hookTimeout: 240_000,
      // Both runtimes know CommonJS themselves, and under Bun vitest's own way loses namespaces such as zod's
      // `z`.
      deps: { interopDefault: false },
      experimental: { fsModuleCache: true },
      globalSetup: needsBuild ? ["./scripts/test/ensure-built.ts", "./scripts/test/shared-services.ts"] : [],
    },
  };
}
