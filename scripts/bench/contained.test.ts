import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runContained } from "./contained.ts";

const LIMIT = { limitMs: 60_000 };
const FORGETS = `
  const { spawn } = require("node:child_process");
  const { writeFileSync } = require("node:fs");
  writeFileSync(process.env.TMPDIR + "/forgotten", "");
  spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }).unref();
`;

describe("a contained measure", () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-contained-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let scripts = 0;
  const script = (text: string) => {
    const path = join(folder, `script-${scripts++}.cjs`);
    writeFileSync(path, text);
    return path;
  };
  const sends = `process.send({ name: "a", value: 1, unit: "ms", tmp: process.env.TMPDIR });`;

  it("returns the figures, in a folder of its own that is removed", async () => {
    const run = await runContained(script(`${sends} process.disconnect();`), [], LIMIT);
    expect(run).toMatchObject({ figures: [{ name: "a", value: 1 }], exitCode: 0, problem: null });
    expect(existsSync((run.figures[0] as unknown as { tmp: string }).tmp)).toBe(false);
  });

  it("ends what the measure leaves, and says what that was", async () => {
    const { problem } = await runContained(script(`${FORGETS} ${sends} process.disconnect();`), [], LIMIT);
    expect(problem).toBe("it left processes: sleep 1000");
  });

  it("ends a measure that never ends, with all that it started, and keeps the figures it had", async () => {
    const began = performance.now();
    const run = await runContained(script(`${FORGETS} ${sends} setInterval(() => {}, 1000);`), [], {
      limitMs: 1000,
    });
    expect(run.figures).toHaveLength(1);
    expect(run.problem).toBe("it did not end within 1 s");
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  it("says how a measure failed", async () => {
    expect(await runContained(script("process.exit(3);"), [], LIMIT)).toMatchObject({
      exitCode: 3,
      problem: "it ended with exit code 3",
    });
  });
});
