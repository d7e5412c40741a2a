import { join, relative } from "node:path";
import type { RunRecord } from "@crowdai/shared";
import type { ChallengeFolder, RunConfig } from "@crowdai/shared/challenge-folder";
import { findUnreadable, makeReadable } from "../base/make-readable.ts";
import type { CodeRun, RunTools } from "./code-run.ts";
import { type Command, findCommand, requireCommand } from "./find-command.ts";
import { digestTree } from "./folder-digest.ts";
import type { Image } from "./images.ts";
import { RunFailure } from "./run-failure.ts";
import { newRecord } from "./run-record.ts";

export interface PreparedRun {
  image: Image;
  command: Command;
  record: RunRecord;
}

/**
 * Finds what code needs to run. `field` names the part of challenge.json. Throws a RunFailure when something
 * is missing.
 */
export async function prepareRun(
  job: Pick<CodeRun, "folder" | "run" | "code" | "command"> & {
    field: string;
    /** Receives the record as soon as there is one. It is completed later. */
    onRecord(record: RunRecord): void;
  },
  tools: RunTools,
): Promise<PreparedRun> {
  const { folder, run, code, field } = job;
  makeReadable(code.dir);
  const image = await tools.images.open(folder, run.image);
  const command = await findCommand(run, job.command, code.dir);
  requireFiles(folder, run);
  const packages = run.packages === null ? null : await digestTree(join(folder.dir, run.packages));
  const record = newRecord(tools.maker, run.limits, {
    ...{ command: [...command], image: image.digest, packages, tree: code.digest },
  });
  job.onRecord(record);
  requireCommand(command, {
    ...{ codeDir: code.dir, root: image.root, isChallenges: run.command !== "submission", field },
    mayBuild: run.build !== null && run.build !== "auto",
  });
  return { image, command, record };
}

/** The program in a box has a user of its own, whom the organizer's files may exclude. */
function requireFiles(folder: ChallengeFolder, run: RunConfig): void {
  for (const path of [run.input, run.sample, run.packages]) {
    if (path === null) continue;
    let unreadable: string | null;
    try {
      unreadable = findUnreadable(join(folder.dir, path));
    } catch (error) {
      unreadable = (error as NodeJS.ErrnoException).path ?? path;
    }
    if (unreadable !== null)
      throw new RunFailure(
        "input_unreadable",
        "The challenge's input cannot be read.",
        `${relative(folder.dir, unreadable) || path} is missing, or cannot be read in a box: let all users read it with chmod -R o+rX`,
      );
  }
}
