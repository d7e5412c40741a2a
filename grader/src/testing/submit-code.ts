import type { Outcome, Report } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { OpenSandbox } from "../jobs/boxes.ts";
import { openTestSandbox } from "./boxes.ts";
import { storeCode } from "./run-challenge.ts";
import { type RunningGrader, runGrader } from "./running-grader.ts";

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
  options?: { command?: string[]; grader?: RunningGrader },
) => Promise<SubmittedCode>;

export interface CodeTests extends Disposable {
  openSandbox: OpenSandbox;
  submit: SubmitCode;
}

/** Opens the boxes of this machine for a test file, and tests them once. Null when it has none. */
export async function openCodeTests(): Promise<CodeTests | null> {
  const sandbox = await openTestSandbox();
  if (!sandbox) return null;
  const tested = sandbox.selfTest();
  const openSandbox = async () => ({ ...sandbox, selfTest: () => tested });
  return {
    openSandbox,
    async submit(challenge, files, options = {}) {
      const grader = options.grader ?? (await runGrader([challenge], { openSandbox }));
      const id = await grader.publish(await storeCode(grader.objects, files, options.command ?? null));
      const { outcome, organiser_log } = await grader.report(id, "finished");
      const reports = grader.reports.filter(({ submission }) => submission === id);
      return { outcome, log: organiser_log, reports };
    },
    [Symbol.dispose]: sandbox[Symbol.dispose],
  };
}
