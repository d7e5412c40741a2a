import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { root } from "../lib/root.ts";
import { FOLDER_VARIABLE, readPlan } from "./plan.ts";

const folder = process.env[FOLDER_VARIABLE]!;
const plan = readPlan(folder);
const instrumented = new Map(Object.entries(plan.files).map(([file, { code }]) => [join(root, file), code]));

/**
 * One worker for all test files of an area; scripts/mutate/mutant-runner.ts runs them again for each mutant.
 */
export default defineConfig({
  root,
  plugins: [
    {
      name: "mutants",
      enforce: "pre",
      load: (id) => instrumented.get(id),
    },
  ],
  test: {
    include: plan.tests,
    runner: join(root, "scripts/mutate/mutant-runner.ts"),
    isolate: false,
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 240_000,
    teardownTimeout: 1000,
    deps: { interopDefault: false },
    // A cache of its own: it would hand instrumented files to other tests.
    experimental: { fsModuleCache: true, fsModuleCachePath: join(folder, "modules") },
    dangerouslyIgnoreUnhandledErrors: true,
    silent: true,
    reporters: [{}],
    sequence: {
      sequencer: class {
        shard = async <T>(files: T[]) => files;
        sort = async <T extends { moduleId: string }>(files: T[]) =>
          files.sort((a, b) => plan.tests.indexOf(a.moduleId) - plan.tests.indexOf(b.moduleId));
      },
    },
  },
});
