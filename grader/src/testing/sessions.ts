import type { AgentAnswer, Job, Outcome } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { createEmbeddedStepChannel, type StepChannel } from "@crowdai/shared/step-channel";
import { onTestFinished } from "vitest";
import type { GraderOptions } from "../jobs/grader.ts";
import { temporaryFolder } from "./challenge.ts";
import { type RunningGrader, runGrader } from "./running-grader.ts";

export interface RemoteSession {
  submission: string;
  ask(request: { type: string; [field: string]: unknown }): Promise<AgentAnswer>;
  /** Takes the same step until the episode is over. */
  episode(action?: unknown): Promise<AgentAnswer>;
  /** The outcome, and the organizer's log. */
  finished(): Promise<{ outcome: Outcome; log: string }>;
}

export interface SessionTests extends RunningGrader {
  steps: StepChannel;
  open(challenge: ChallengeFolder, job?: Partial<Job>): Promise<RemoteSession>;
}

/** Starts a grader that remote agents can reach, without boxes. */
export async function runSessionGrader(options: Partial<GraderOptions> = {}): Promise<SessionTests> {
  const steps = await createEmbeddedStepChannel({ folder: await temporaryFolder() });
  onTestFinished(() => steps.close());
  const grader = await runGrader([], { steps, ...options });
  return {
    ...grader,
    steps,
    async open(challenge, job = {}) {
      const { id } = challenge.config;
      grader.challenges.set(id, challenge);
      const submission = await grader.publish({
        ...{ challenge: id, seeds: [1, 2, 3], input: { kind: "session", replay: null } },
        ...job,
      });
      const never = new AbortController().signal;
      const ask: RemoteSession["ask"] = (request) => steps.ask(submission, request as never, never);
      return {
        submission,
        ask,
        async episode(action = 1) {
          await ask({ type: "reset" });
          for (;;) {
            const answer = await ask({ type: "step", action });
            if (answer.type !== "step" || answer.terminated || answer.truncated) return answer;
          }
        },
        async finished() {
          const { outcome, organiser_log: log } = await grader.report(submission, "finished");
          return { outcome, log };
        },
      };
    },
  };
}
