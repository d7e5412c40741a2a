import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { ChallengeFolder, ProcessConfig } from "@crowdai/shared/challenge-folder";
import { makeReadable } from "../../base/make-readable.ts";
import { BOX, type BoxLimits, type BoxPlan, type Sandbox } from "../../box/sandbox.ts";
import type { Evaluation } from "../protocol/evaluator.ts";
import type { ResultEvent } from "../protocol/events.ts";

/** How an evaluator starts in a box. */
export interface BoxedLaunch extends Pick<BoxPlan, "command" | "cwd" | "readable"> {
  sandbox: Sandbox;
  limits: BoxLimits;
}

/** The challenge folder in the box. */
const CHALLENGE = "/challenge";
const MAX_PROCESSES = 1024;
const SCRATCH_BYTES = 1024 ** 3;

/**
 * Plans a box for the evaluator. `files` are files of the grader that the program needs, its driver among
 * them.
 */
export function planBox(
  { dir }: Pick<ChallengeFolder, "dir">,
  evaluator: ProcessConfig,
  command: readonly string[],
  files: readonly string[],
  sandbox: Sandbox,
): BoxedLaunch {
  const inBox = new Map(files.map((file) => [file, `/crowdai/${basename(file)}`]));
  const [program, ...args] = command.map((word) => inBox.get(word) ?? word) as [string, ...string[]];
  return {
    sandbox,
    command: [program.includes("/") ? resolve(CHALLENGE, program) : program, ...args],
    cwd: CHALLENGE,
    readable: {
      [CHALLENGE]: resolve(dir),
      ...Object.fromEntries([...inBox].map(([file, path]) => [path, file])),
    },
    limits: {
      memoryBytes: evaluator.memory_mb === null ? null : evaluator.memory_mb * 1024 * 1024,
      // The time of a job is limited outside.
      cpuMs: null,
      wallMs: null,
      processes: MAX_PROCESSES,
      scratchBytes: SCRATCH_BYTES,
    },
  };
}

/** The environment of an evaluator in a box, besides what the box sets. */
export function boxedEnvironment(): Record<string, string> {
  return {
    LANG: "C.UTF-8",
    PYTHONUNBUFFERED: "1",
    PYTHONIOENCODING: "utf-8",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

/** A folder that a box sees as its inbox, and the job in it. The box can only read it. */
export interface Inbox {
  readonly folder: string;
  /** Moves a job's files in. Returns the job's line with the paths of the box. */
  enter(job: Evaluation): string;
  /** Moves the files back. */
  leave(): void;
  remove(): void;
}

const MOVED = ["input", "code"];

export function createInbox(parent: string): Inbox {
  const folder = mkdtempSync(join(parent, "inbox-"));
  makeReadable(folder);
  let inside: { workspace: string; names: string[] } | null = null;
  return {
    folder,
    enter(job) {
      const names = MOVED.filter((name) => existsSync(join(job.workspace, name)));
      inside = { workspace: job.workspace, names };
      for (const name of names) {
        makeReadable(join(job.workspace, name));
        renameSync(join(job.workspace, name), join(folder, name));
      }
      // In the text, so that no number changes. Workspaces have random names, which no submission contains.
      return job.line
        .replaceAll(join(job.workspace, "output"), BOX.output)
        .replaceAll(`${job.workspace}/`, `${BOX.inbox}/`);
    },
    leave() {
      const { workspace, names } = inside ?? { workspace: "", names: [] };
      inside = null;
      for (const name of names) renameSync(join(folder, name), join(workspace, name));
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Returns a result of a boxed evaluator with the paths of its files relative to its output folder. */
export function withoutBoxPaths(result: ResultEvent): ResultEvent {
  const inside = <File extends { path: string }>(file: File): File => ({
    ...file,
    path: file.path.startsWith(`${BOX.output}/`) ? file.path.slice(BOX.output.length + 1) : file.path,
  });
  return {
    ...result,
    ...(result.media ? { media: inside(result.media) } : {}),
    ...(result.artifacts ? { artifacts: result.artifacts.map(inside) } : {}),
  };
}
