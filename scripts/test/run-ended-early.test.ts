import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { isRunning } from "../../test/is-running.ts";
import { root } from "../lib/root.ts";
import { runCommand } from "../lib/run-command.ts";
import { RESULTS_VARIABLE } from "./results-reporter.ts";
import { readTally } from "./tally.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-ended-early-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("a run that is ended by its limit counts what had finished, names what had not, and leaves no process", async () => {
  const results = join(folder, "results.ndjson");
  const log = join(folder, "log");
  const output = openSync(log, "w");
  const limit = new AbortController();
  const ended = runCommand(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...[
        "run",
        "--config",
        join(import.meta.dirname, "fixtures/vitest.config.ts"),
        "--disable-console-intercept",
      ],
    ],
    { end: limit.signal, output, env: { [RESULTS_VARIABLE]: results } },
  );
  const sleeper = await vi.waitFor(() => Number(/sleep (\d+)/.exec(readFileSync(log, "utf8"))![1]), 60_000);
  await vi.waitFor(() => expect(readFileSync(results, "utf8")).toContain("multiplies"), 60_000);
  limit.abort("its limit of 7 minutes");
  const result = await ended;
  closeSync(output);

  expect(result).toEqual({ exitCode: 1, endedBy: "its limit of 7 minutes" });
  expect(readTally("node", results, result)).toEqual({
    passed: 3,
    skipped: 1,
    failures: [
      "node: subtracts",
      "node: ended by its limit of 7 minutes",
      "node: scripts/test/fixtures/2-hangs.fixture.ts was running, 1 of its tests had finished",
      "node: scripts/test/fixtures/3-comes-later.fixture.ts was not started",
    ],
    flaky: [
      "node: settles: expected 1 to be 2 // Object.is equality (scripts/test/fixtures/1-finishes.fixture.ts:10)",
    ],
  });
  await vi.waitFor(() => expect(isRunning(sleeper)).toBe(false), 30_000);
}, 90_000);
