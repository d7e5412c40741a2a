import { existsSync } from "node:fs";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../testing/challenge.ts";
import { openWorkFolder } from "./work-folder.ts";

const AN_HOUR_AGO = new Date(Date.now() - 3_600_000);

it("a work folder is removed when its grader stops, and by the next grader when it was killed", async () => {
  const parent = await temporaryFolder();
  const killed = join(parent, "crowdai-grader-killed");
  await mkdir(join(killed, "workspaces/job-1"), { recursive: true });
  await writeFile(join(killed, "grader.lock"), "");
  const foreign = join(parent, "crowdai-grader-something-else");
  await mkdir(foreign);
  const running = await openWorkFolder(parent);
  for (const dir of [killed, foreign, running.dir]) await utimes(dir, AN_HOUR_AGO, AN_HOUR_AGO);

  const next = await openWorkFolder(parent);
  expect(existsSync(killed)).toBe(false);
  expect(existsSync(running.dir)).toBe(true);
  expect(existsSync(foreign)).toBe(true);

  await running[Symbol.asyncDispose]();
  await next[Symbol.asyncDispose]();
  expect(await readdir(parent)).toEqual(["crowdai-grader-something-else"]);
});
