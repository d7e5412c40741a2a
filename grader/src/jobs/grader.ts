import { CrowdaiError, type Job } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import type { SandboxName } from "@crowdai/shared/sandbox-names";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Logger } from "../base/log.ts";
import type { OpenSandbox } from "./boxes.ts";
import { createDoubtfulEvaluators } from "./doubtful-evaluators.ts";
import { createDeliveryHandler } from "./handle-delivery.ts";
import { createLeftChallenges } from "./left-challenges.ts";
import { openRunResources } from "./run-resources.ts";
import { runnableChallenges } from "./runnable-challenges.ts";

export interface GraderOptions {
  /** Unique among the graders of a queue. */
  name: string;
  queue: JobQueue;
  objects: ObjectStore;
  /** Carries the requests of remote agents. Without it, jobs of such agents are left to other graders. */
  steps?: StepChannel;
  /**
   * The challenges that this grader serves, by id. Called for every job, because folders may appear and
   * change.
   */
  challenges: () => ReadonlyMap<string, ChallengeFolder>;
  /**
   * Ids of challenges that have no folder here and are graded from bundles, each with a text that changes
   * with its bundles. Called as often as `challenges`.
   */
  bundled?: () => ReadonlyMap<string, string>;
  /** The most jobs that run at the same time. */
  concurrency: number;
  log: Logger;
  /**
   * A folder that only this grader uses. Its `workspaces` and `bundles` are emptied at start and at the end.
   */
  workDir: string;
  /** How long running jobs may continue after a stop before they are returned to the queue. */
  graceSeconds?: number;
  /**
   * Whether remote agents are cut off before a stop: their sessions have no such time then, because nothing
   * could happen in it.
   */
  cutsAgents?: boolean;
  /** How long an idle warm evaluator is kept. */
  idleSeconds?: number;
  /**
   * Pause before a job that failed through the platform is returned. Doubles with each attempt. A machine
   * with a problem is rechecked after two such pauses.
   */
  retryPauseMs?: number;
  /** PATH of the evaluators; by default the PATH of this process. */
  path?: string;
  /** The kind of boxes; by default those that bubblewrap makes. */
  sandbox?: SandboxName;
  /** Opens boxes of another kind. */
  openSandbox?: OpenSandbox;
}

export interface Grader {
  readonly name: string;
  /**
   * Takes and grades jobs until the signal is aborted. Then takes no more, gives running jobs their grace
   * period, returns unfinished ones to the queue, and resolves when no evaluator is left. Until then, the
   * queue's receiver must keep running, for the last reports.
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createGrader(options: GraderOptions): Grader {
  const { name, queue, objects, log } = options;
  const retryPauseMs = options.retryPauseMs ?? 500;
  const path = options.path ?? process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";

  return {
    name,
    async run(signal) {
      await using resources = await openRunResources({ ...options, path, recheckMs: 2 * retryPauseMs });
      const { health, boxes } = resources;
      const bundled = options.bundled ?? (() => new Map<string, string>());
      const runnable = runnableChallenges({ challenges: options.challenges, bundled, boxes });
      const left = createLeftChallenges();
      const doubtful = createDoubtfulEvaluators({ grader: name, queue, left });
      const able = (ids: string[]) => {
        const unable = left.unable();
        return health.problem() ? [] : ids.filter((id) => !(id in unable));
      };
      const deliveries = createDeliveryHandler({
        ...resources,
        ...{ doubtful, left },
        ...{ grader: name, queue, objects, runnable, log, retryPauseMs, steps: options.steps },
      });
      using _grace = afterGrace(signal, (options.graceSeconds ?? 10) * 1000, deliveries.stop);
      if (options.cutsAgents)
        signal.addEventListener("abort", () => deliveries.stop(stopped(), hasRemoteAgent), { once: true });
      await queue.consume(
        {
          grader: name,
          challenges: () => able(runnable.challenges()),
          sessions: () => able(runnable.sessions()),
          problem: health.problem,
          unable: () => ({ ...left.unable(), ...runnable.unable() }),
          concurrency: options.concurrency,
          signal,
        },
        deliveries.handle,
      );
    },
  };
}

const stopped = () => new CrowdaiError("interrupted", "The grader is stopping.");

const hasRemoteAgent = ({ input }: Job) => input.kind === "session" && input.replay === null;

/** Calls `stop` once `graceMs` have passed since the signal was aborted. Disposing it cancels that. */
function afterGrace(signal: AbortSignal, graceMs: number, stop: (reason: CrowdaiError) => void): Disposable {
  let grace: NodeJS.Timeout | undefined;
  const onStop = () => {
    grace = setTimeout(() => stop(stopped()), graceMs);
  };
  if (signal.aborted) onStop();
  else signal.addEventListener("abort", onStop, { once: true });
  return {
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onStop);
      clearTimeout(grace);
    },
  };
}
