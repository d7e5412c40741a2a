import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { isStale } from "./ensure-built.ts";

const BUILT = ["cli", "broker", "grader"].flatMap((part) =>
  [part === "cli" ? "index.js" : "bin.js", "index.d.ts"].map((name) => `${part}/dist/${name}`),
);

it("what was built is stale when a source is newer, and not when a test or what Python compiled is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-built-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (path: string, at: number) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "");
    utimesSync(join(folder, path), at, at);
  };
  write("grader/src/agent/agent.py", 1);
  write("grader/src/main.ts", 1);
  for (const path of BUILT) write(path, 2);
  expect(await isStale(folder)).toBe(false);
  write("grader/src/main.test.ts", 3);
  write("grader/src/agent/__pycache__/agent.cpython-311.pyc", 3);
  expect(await isStale(folder)).toBe(false);
  write("grader/src/agent/agent.py", 3);
  expect(await isStale(folder)).toBe(true);
});
