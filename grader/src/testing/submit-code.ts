import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome, Report } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { OpenSandbox } from "../jobs/boxes.ts";
import { openTestSandbox } from "./boxes.ts";
import { storeCode } from "./run-challenge.ts";
import { runGraderIn } from "./running-grader.ts";

export interface SubmittedCode {
  outcome: Outcome;
  /** For the organizer. */
  log: string;
  reports: Report[];
}

/** Submits code to a challenge with `run`, on a grader with boxes. */
export type SubmitCode = (
  challenge: ChallengeFolder,
  files: Record<string, string>,
  options?: { command?: string[]; seeds?: number[] },
) => Promise<SubmittedCode>;

export interface CodeTests {
  openSandbox: OpenSandbox;
  submit: SubmitCode;
  objects: ObjectStore;
  close(): Promise<void>;
}

/** Starts a grader with the boxes of this machine, for all tests of a file. Null when there are none. */
export async function openCodeTests(): Promise<CodeTests | null> {
  const sandbox = await openTestSandbox();
  if (!sandbox) return null;
  const tested = sandbox.selfTest();
  const openSandbox = async () => ({ ...sandbox, selfTest: () => tested });
  const dir = mkdtempSync(join(tmpdir(), "crowdai-grader-test-"));
  const grader = await runGraderIn(dir, [], { openSandbox });
  return {
    openSandbox,
    objects: grader.objects,
    async submit(challenge, files, options = {}) {
      const { id } = challenge.config;
      grader.challenges.set(id, challenge);
      const code = await storeCode(grader.objects, files, options.command ?? null);
      const submission = await grader.publish({
        ...{ ...code, challenge: id },
        ...(options.seeds ? { seeds: options.seeds } : {}),
      });
      const { outcome, organiser_log } = await grader.report(submission, "finished");
      const reports = grader.reports.filter((report) => report.submission === submission);
      return { outcome, log: organiser_log, reports };
    },
    async close() {
      await grader.close();
      sandbox[Symbol.dispose]();
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
