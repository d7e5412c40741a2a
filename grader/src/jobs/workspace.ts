import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../base/log.ts";

/** A folder for one job: `input/` for the submission, `output/` for the evaluator's files. */
export interface Workspace extends AsyncDisposable {
  dir: string;
  input: string;
  output: string;
}

export interface Workspaces {
  /** Returns an empty workspace. Disposing it removes the job's files, and never throws. */
  take(): Workspace;
}

const SUBFOLDERS = ["input", "output"];

/**
 * Creates workspaces under `root`. One that a job left empty is reused: making and removing folders has to
 * wait for the disk while other programs sync to it, and most jobs of a warm evaluator leave no files.
 */
export function createWorkspaces(root: string, log: Logger): Workspaces {
  const free: string[] = [];

  async function release(dir: string): Promise<void> {
    if (isEmpty(dir)) {
      free.push(dir);
      return;
    }
    await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch((err) =>
      log.warn({ event: "workspace_removal_failed", dir, err }, "workspace removal failed"),
    );
  }

  return {
    take() {
      const dir = free.pop() ?? make(join(root, `job-${randomUUID()}`));
      return {
        dir,
        input: join(dir, "input"),
        output: join(dir, "output"),
        [Symbol.asyncDispose]: () => release(dir),
      };
    },
  };
}

function make(dir: string): string {
  for (const folder of [dir, ...SUBFOLDERS.map((name) => join(dir, name))])
    mkdirSync(folder, { mode: 0o700 });
  return dir;
}

/** Returns whether it contains its two subfolders, both empty, and nothing else. */
function isEmpty(dir: string): boolean {
  try {
    const held = readdirSync(dir, { withFileTypes: true });
    return (
      held.length === SUBFOLDERS.length &&
      held.every((entry) => entry.isDirectory() && SUBFOLDERS.includes(entry.name)) &&
      SUBFOLDERS.every((name) => readdirSync(join(dir, name)).length === 0)
    );
  } catch {
    return false;
  }
}
