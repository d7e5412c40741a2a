import type { AgentAnswer, AgentRequest, Outcome, Report } from "@crowdai/shared";
import type { StepChannel } from "@crowdai/shared/step-channel";
import { createTestGrader, type Taken } from "../../../shared/src/queue/contract/test-grader.ts";
import type { BrokerOptions } from "../../src/startup/broker.ts";
import { aboutOf, finishedWith } from "./redis-broker.ts";

type RunGrader = NonNullable<BrokerOptions["runGrader"]>;
export type JobQueue = Parameters<RunGrader>[0]["queue"];

export const SPACES = {
  action: { name: "Discrete" as const, n: 3 },
  observation: { name: "Box" as const, shape: [2], low: [-1, -1], high: [1, 1] },
};
const EPISODES = 2;
/** Steps of an episode. */
const LENGTH = 3;

/** A challenge with an environment that the toy sessions stand for. */
export const environmentChallenge = (changes: Record<string, unknown> = {}) => ({
  id: "test",
  evaluator: { command: ["python3", "evaluate.py"], mode: "environment", timeout_seconds: 50 },
  environment: { seeds: { count: EPISODES } },
  ...changes,
});

/** A grader in the broker's process, whose sessions the test controls. */
export interface ToyGrader {
  run: RunGrader;
  /** Resolves with the next job, which waits until the test serves or ends it. */
  next(): Promise<Taken>;
  /** Serves the job's session until it is submitted, and then reports the score. */
  serve(taken: Taken, answer?: (request: AgentRequest) => Promise<AgentAnswer>): Promise<ToySession>;
  report(taken: Taken, rest: Record<string, unknown>): Promise<void>;
  fail(taken: Taken, outcome: Partial<Extract<Outcome, { ok: false }>>): Promise<void>;
}

export interface ToySession {
  /** The requests that the session received, in order. */
  asked: AgentRequest[];
}

/** Three steps an episode, two episodes; each step is rewarded with its action. */
function createToy(): (request: AgentRequest) => AgentAnswer {
  let [episode, n] = [0, LENGTH];
  return (request) => {
    switch (request.type) {
      case "hello":
        return { type: "hello", protocol: 1, spaces: SPACES, episodes: EPISODES, limits: { steps: LENGTH } };
      case "reset":
        if (n < LENGTH) return { type: "error", code: "reset_early", message: "The episode is not over." };
        if (episode === EPISODES) return { type: "end" };
        [episode, n] = [episode + 1, 0];
        return { type: "observation", episode, observation: [0, 0], info: {} };
      case "step": {
        if (n >= LENGTH) return { type: "error", code: "step_late", message: "The episode is over." };
        n++;
        const [reward, terminated] = [Number(request.action), n === LENGTH];
        return {
          ...{ type: "step", episode, n, observation: [n / 10, episode / 10], reward, terminated },
          ...{ truncated: false, info: {} },
        };
      }
      case "submit":
        if (episode < EPISODES || n < LENGTH)
          return { type: "error", code: "submit_early", message: "Not every episode is over." };
        return { type: "end" };
    }
  };
}

export function createToyGrader(challenges: readonly string[] = ["test"]): ToyGrader {
  let queue: JobQueue;
  let steps: StepChannel;
  const jobs: Taken[] = [];
  const readers: ((taken: Taken) => void)[] = [];

  const report: ToyGrader["report"] = (taken, rest) =>
    queue.report({ ...aboutOf(taken, "toy"), ...rest } as Report);

  return {
    run(needs) {
      ({ queue, steps } = needs);
      // Those of a broker that was stopped.
      jobs.length = 0;
      const grader = createTestGrader(queue, {
        grader: "toy",
        challenges: () => [...challenges],
        concurrency: 50,
      });
      grader.onTake((taken) => {
        const reader = readers.shift();
        if (reader) reader(taken);
        else jobs.push(taken);
      });
      return () => grader.stop();
    },
    next() {
      const known = jobs.shift();
      return known ? Promise.resolve(known) : new Promise((resolve) => readers.push(resolve));
    },
    report,
    async serve(taken, answer) {
      const toy = createToy();
      const session: ToySession = { asked: [] };
      let total = 0;
      let isSubmitted = false;
      await report(taken, { type: "started" });
      const serving = await steps.serve(taken.id, async (request) => {
        const isFirst = request.type === "reset" && !session.asked.some(({ type }) => type === "reset");
        session.asked.push(request);
        const reply = (await answer?.(request)) ?? toy(request);
        if (reply.type === "step") total += reply.reward;
        if (isFirst)
          await report(taken, { type: "progress", stage: "play", percent: 0, message: "Episode 1 of 2" });
        if (request.type === "submit" && reply.type === "end" && !isSubmitted) {
          isSubmitted = true;
          setImmediate(async () => {
            await serving[Symbol.asyncDispose]();
            await queue.report(finishedWith(taken, "toy", total / EPISODES));
            taken.acknowledge();
          });
        }
        return { answer: reply };
      });
      return session;
    },
    async fail(taken, outcome) {
      const whole = {
        ok: false,
        code: "session_abandoned",
        message: "Gone.",
        evaluator_version: "1",
        ...outcome,
      };
      await report(taken, { type: "finished", outcome: whole, organiser_log: "", seconds: 1 });
      taken.acknowledge();
    },
  };
}
