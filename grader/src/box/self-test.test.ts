import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import type { Box, BoxEnd } from "./sandbox.ts";
import { selfTest } from "./self-test.ts";

it("boxes that do not start enforce nothing, and the reason is reported for each test", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-self-test-"));
  const end: BoxEnd = {
    ...{ cause: "not_started", code: null, detail: "no overlay mounts", scratchFull: false },
    usage: { wallMs: 1, cpuMs: 0, peakMemoryBytes: 0 },
  };
  const start = (): Box => ({
    ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
    exited: Promise.resolve(),
    ...{ collect: async () => false, clear: async () => {}, close() {}, kill() {} },
    ended: Promise.resolve(end),
  });
  const { enforced, failures } = await selfTest(start, folder);
  expect(enforced).toEqual([]);
  expect(failures).toHaveLength(6);
  for (const failure of failures) expect(failure).toContain("no overlay mounts");
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
