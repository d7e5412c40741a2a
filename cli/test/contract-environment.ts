import type { AgentAnswer, AgentRequest, PublicChallenge, SessionAnswer } from "@crowdai/shared";

/** An environment that agents step, as a broker describes it. */
export const ENVIRONMENT: NonNullable<PublicChallenge["environment"]> = {
  agents: ["code", "remote"],
  episodes: 2,
  score: "mean_return",
  limits: {
    steps: 3,
    step_seconds: 1,
    bank_seconds: 60,
    reset_seconds: 60,
    env_step_seconds: 30,
    episode_seconds: 1800,
    idle_seconds: 300,
  },
  reward_visible: true,
  command: null,
  code_limits: { memory_mb: 2048, processes: 128, scratch_mb: 512, cpu_seconds: null, build_seconds: 600 },
  env_id: null,
  seeds: null,
};

/** A session with an environment of the contract broker. */
export interface ContractEnvironment {
  /** Answers every request with this instead, until it is null. */
  waiting: Extract<SessionAnswer, { type: "waiting" }> | null;
  /**
   * Each reset and step that was done, such as "reset 1" or "step 1.1 [0.5]". A repetition is not done again.
   */
  readonly done: string[];
  /** The return of each episode. */
  readonly returns: number[];
  readonly submitted: boolean;
  answer(request: AgentRequest): SessionAnswer;
}

/**
 * Creates a session of two episodes with three steps each. Observations are `[episode, n, 0.1]`; the reward
 * of a step is its action, or the first number of it.
 */
export function createContractEnvironment(): ContractEnvironment {
  const done: string[] = [];
  const returns: number[] = [];
  const answered = new Map<string, { action: string; answer: AgentAnswer }>();
  let n = 3;
  const refuse = (code: string, message: string): AgentAnswer => ({ type: "error", code, message });
  const observation = () => [returns.length, n, 0.1];

  function once(key: string, request: AgentRequest, work: () => AgentAnswer): AgentAnswer {
    const before = answered.get(key);
    const action = request.type === "step" ? JSON.stringify(request.action) : "";
    if (before && before.action !== action)
      return refuse("step_conflict", `${key} was answered for another action.`);
    if (before) return before.answer;
    const answer = work();
    if (answer.type !== "error") answered.set(key, { action, answer });
    return answer;
  }

  const session = {
    waiting: null as ContractEnvironment["waiting"],
    done,
    returns,
    submitted: false,
    answer(request: AgentRequest): SessionAnswer {
      if (session.waiting) return session.waiting;
      if (request.type === "hello") {
        const action = { name: "Box" as const, shape: [1], low: [-1], high: [1e100] };
        const spaces = { action, observation: { name: "Any" as const } };
        return { type: "hello", protocol: 1, spaces, episodes: 2, limits: ENVIRONMENT.limits };
      }
      if (request.type === "submit") {
        if (returns.length < 2 || n < 3) return refuse("episodes_left", "Episode 1 of 2 is not finished.");
        session.submitted = true;
        return { type: "end" };
      }
      if (request.type === "reset")
        return once(`reset ${request.episode}`, request, () => {
          if (n < 3) return refuse("reset_order", `Episode ${returns.length} is not finished.`);
          if (returns.length === 2) return { type: "end" };
          n = 0;
          returns.push(0);
          done.push(`reset ${returns.length}`);
          return {
            type: "observation",
            episode: returns.length,
            observation: observation(),
            info: { lives: 3 },
          };
        });
      return once(`step ${request.episode}.${request.n}`, request, () => {
        const reward = Number([request.action].flat()[0]);
        if (typeof reward !== "number" || Number.isNaN(reward))
          return refuse("action_invalid", "Expected a number.");
        n++;
        done.push(`step ${returns.length}.${n} ${JSON.stringify(request.action)}`);
        returns[returns.length - 1]! += reward;
        return {
          type: "step",
          episode: returns.length,
          n,
          observation: observation(),
          reward,
          terminated: n === 3,
          truncated: false,
          info: { n },
        };
      });
    },
  };
  return session;
}
