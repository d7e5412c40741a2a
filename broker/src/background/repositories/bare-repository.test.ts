import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openBareRepository, readApplied, writeApplied } from "./bare-repository.ts";

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "crowdai-bare-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return join(made, "1.git");
}

it("a repository remembers what was applied to it until its HEAD is lost", async () => {
  const dir = await folder();
  expect(await readApplied(dir)).toEqual({ stored: 0, final: 0 });
  await openBareRepository(dir);
  await writeApplied(dir, { stored: 3, final: 2 });
  await openBareRepository(dir);
  expect(await readApplied(dir)).toEqual({ stored: 3, final: 2 });
  await rm(join(dir, "HEAD"));
  expect(await readApplied(dir)).toEqual({ stored: 0, final: 0 });
});

it("a folder that is not a repository is replaced by one", async () => {
  const dir = await folder();
  await mkdir(join(dir, "objects/42"), { recursive: true });
  await openBareRepository(dir);
  await writeApplied(dir, { stored: 1, final: 1 });
  expect(await readApplied(dir)).toEqual({ stored: 1, final: 1 });
});
