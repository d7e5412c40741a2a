import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { root } from "../lib/root.ts";
import { runCommand } from "../lib/run-command.ts";
import { RESULTS_VARIABLE } from "./results-reporter.ts";
import { readTally } from "./tally.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-real-timers-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a file that leaves timers fake fails, and those that follow it in its process do not", async () => {
  const results = join(folder, "results.ndjson");
  const config = join(import.meta.dirname, "fixtures/fake-timers/vitest.config.ts");
  const result = await runCommand(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", config],
    { env: { [RESULTS_VARIABLE]: results } },
  );
  const tally = readTally("node", results, result);
  expect(tally.passed).toBe(3);
  expect(tally.failures).toEqual([
    expect.stringMatching(/1-spy-on-a-fake.*left fake by a test/),
    expect.stringMatching(/2-left-fake.*left fake by a test/),
  ]);
}, 90_000);
