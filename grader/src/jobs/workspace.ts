import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../base/log.ts";

/** A folder for one job: `input/` for what was handed in, `output/` for what the evaluator leaves. */
export interface Workspace extends AsyncDisposable {
  dir: string;
  input: string;
  output: string;
}

export interface Workspaces {
  /** An empty workspace. Disposing it removes whatever the job left, and never throws. */
  take(): Workspace;
}

const SUBFOLDERS = ["input", "output"];

/**
 * Workspaces under `root`. One that a job left as empty as it got it serves the next: making and removing folders waits for the disk
 * whenever anything on the machine is made durable, and most jobs of a warm evaluator leave nothing.
 */
export function createWorkspaces(root: string, log: Logger): Workspaces {
  const free: string[] = [];

  async function release(dir: string): Promise<void> {
    if (isEmpty(dir)) {
      free.push(dir);
      return;
    }
    await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch((err) =>
      log.warn({ dir, err }, "a workspace could not be removed"),
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

/** Whether it holds its two folders, as folders, and nothing else. */
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
