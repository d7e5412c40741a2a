import { randomUUID } from "node:crypto";
import { mkdirSync, rmdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "./log.ts";

/** A folder for one job: `input/` for what was handed in, `output/` for what the evaluator leaves. */
export interface Workspace extends AsyncDisposable {
  dir: string;
  input: string;
  output: string;
}

/**
 * Makes a workspace under `root`. Disposing removes it with all it holds and never throws. Folders alone are made and removed at once:
 * that takes microseconds, and a way through the thread pool ten times as long.
 */
export async function createWorkspace(root: string, log: Logger): Promise<Workspace> {
  const dir = join(root, `job-${randomUUID()}`);
  const output = join(dir, "output");
  const input = join(dir, "input");
  for (const folder of [dir, output, input]) mkdirSync(folder, { mode: 0o700 });
  async function remove(): Promise<void> {
    try {
      for (const folder of [output, input, dir]) rmdirSync(folder);
    } catch {
      // Something is in it.
      await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch((err) =>
        log.warn({ dir, err }, "a workspace could not be removed"),
      );
    }
  }
  return { dir, input, output, [Symbol.asyncDispose]: remove };
}
