import { type AgentAnswer, type Hello, MAX_STEP_BYTES, type Space, type StepAnswer } from "@crowdai/shared";
import type { EnvironmentConfig } from "@crowdai/shared/challenge-folder";
import { RunFailure } from "../run/run-failure.ts";
import { actionCheck } from "./check-action.ts";

/** How many requests of a session may be refused before it ends. */
export const MAX_ERRORS = 10;

/** A request as the rules allow it. */
export type Move =
  /** Nothing changes. */
  | { kind: "answer"; answer: AgentAnswer; observation?: string }
  | { kind: "reset"; episode: number }
  | { kind: "step"; episode: number; n: number; action: unknown; text: string }
  /** The agent submitted: all episodes are finished, or the session has failed. */
  | { kind: "finish" };

/** Fields of a request, before they are checked. */
interface Asked {
  episode?: unknown;
  n?: unknown;
  action?: unknown;
  early?: unknown;
}

/** An environment's answer to a step. */
export interface Outcome {
  observation: unknown;
  /** The observation as JSON text. */
  text: string;
  reward: number;
  terminated: boolean;
  truncated: boolean;
  info: Record<string, unknown>;
  /** A image for the video of the session. */
  frame?: Buffer;
}

export type Observed = Pick<Outcome, "observation" | "text" | "info" | "frame">;

export interface Episode {
  episode: number;
  steps: number;
  return: number;
  ended: "terminated" | "truncated" | "unfinished";
}

export interface RefereeOptions {
  spaces: { action: Space; observation: Space };
  episodes: number;
  limits: EnvironmentConfig["limits"];
  /** Only code has a bank: the time of a network is not the agent's. */
  agent: "code" | "remote";
  rewardVisible: boolean;
  /** Milliseconds of a clock. */
  now(): number;
}

/**
 * Enforces the rules of a session. It does nothing by itself: the caller steps the environment, and asks for
 * the deadline.
 */
export type Referee = ReturnType<typeof createReferee>;

export function createReferee(options: RefereeOptions) {
  const { spaces, limits, agent, now } = options;
  const check = actionCheck(spaces.action);
  const stepMs = limits.step_seconds * 1000;
  /** How long an agent may stay without an episode, though it sends requests. */
  const restMs = 1000 * Math.max(limits.idle_seconds, limits.episode_seconds);
  const bankAtStart = limits.bank_seconds * 1000;
  const played: Episode[] = [];
  /** Of the current episode. */
  let current: Episode | null = null;
  let began = 0;
  let environmentMs = 0;
  /** Of a code agent: a remote one has no use for it. */
  let bank = bankAtStart;
  let errors = 0;
  let invalidActions = 0;
  let failure: RunFailure | null = null;
  /** The last reset or step, its answer, and the text of its observation. */
  let last: { episode: number; n: number; action: string; answer: AgentAnswer; observation: string } | null =
    null;
  /** Since when the agent is expected to send a request. */
  let waitingSince = now();
  /** Since when there is no episode, or the last step was answered. */
  let restingSince = waitingSince;
  let requestedAt = 0;
  let agentMs = 0;

  const isDone = () => played.length === options.episodes;
  const lastPlayed = () => played.at(-1) ?? null;
  const place = () => {
    const at = current ?? lastPlayed();
    return at === null ? "before the first episode" : `episode ${at.episode}, step ${at.steps}`;
  };

  function refuse(code: string, message: string): Move {
    errors++;
    if (errors >= MAX_ERRORS)
      failure ??= new RunFailure(
        "agent_protocol",
        `The agent sent ${MAX_ERRORS} invalid requests (${place()}). The last one: ${message}.`,
      );
    return { kind: "answer", answer: { type: "error", code, message } };
  }

  const repeat = (): Move => ({ kind: "answer", answer: last!.answer, observation: last!.observation });

  function reset(episode: unknown): Move {
    if (current !== null) {
      if (episode === current.episode && current.steps === 0) return repeat();
      return refuse("episode_running", `episode ${current.episode} is not over; go on with step`);
    }
    const next = played.length + 1;
    if (episode !== undefined && episode !== next)
      return refuse("episode_wrong", `the next episode is ${next}, not ${shown(episode)}`);
    return isDone() ? { kind: "answer", answer: { type: "end" } } : { kind: "reset", episode: next };
  }

  function step({ episode, n, action }: Asked): Move {
    const at = current ?? lastPlayed();
    if (at === null) return refuse("reset_missing", "send reset before the first step");
    if (episode !== undefined && episode !== at.episode)
      return refuse("episode_wrong", `the episode is ${at.episode}, not ${shown(episode)}`);
    if (n === at.steps && n > 0) {
      if (JSON.stringify(action) === last!.action) return repeat();
      return refuse("step_differs", `step ${n} was answered, for another action`);
    }
    if (current === null)
      return isDone()
        ? refuse("episode_over", "all episodes are over; send submit")
        : refuse("episode_over", `episode ${at.episode} is over; send reset`);
    const next = at.steps + 1;
    if (n !== undefined && n !== next)
      return refuse("step_wrong", `the next step is ${next}, not ${shown(n)}`);
    const problem = check(action);
    if (problem !== null) {
      invalidActions++;
      return refuse("action_invalid", problem);
    }
    const text = JSON.stringify(action);
    // Of 3 bytes a character at most.
    if (text.length > MAX_STEP_BYTES / 3 && Buffer.byteLength(text) > MAX_STEP_BYTES) {
      invalidActions++;
      return refuse("action_too_large", `an action has at most ${MAX_STEP_BYTES} bytes of JSON`);
    }
    return { kind: "step", episode: at.episode, n: next, action, text };
  }

  /** Ends the session of a client that cannot be refused its submit. */
  function giveUp(): Move {
    const count = `${played.length} of ${options.episodes} episodes`;
    failure ??= new RunFailure("agent_protocol", `The agent submitted after ${count} (${place()}).`);
    return { kind: "finish" };
  }

  /** Takes the time that the agent needed. */
  function takeTime(): void {
    requestedAt = now();
    agentMs = requestedAt - waitingSince;
    // Outside an episode, only the requests of a remote agent show that it is still there.
    if (current === null && (agent === "code" || isDone())) return;
    bank -= Math.max(0, agentMs - stepMs);
    // Whatever is answered now, the time until the next request starts again.
    waitingSince = requestedAt;
  }

  function answered(episode: number, n: number, action: string, answer: AgentAnswer, observation: string) {
    last = { episode, n, action, answer, observation };
    waitingSince = now();
    restingSince = waitingSince;
    environmentMs += waitingSince - requestedAt;
  }

  return {
    hello(): Hello {
      const { steps, step_seconds, bank_seconds, episode_seconds, idle_seconds } = limits;
      const clocks: Record<string, number> =
        agent === "code" ? { step_seconds, bank_seconds } : { idle_seconds };
      return {
        ...{ type: "hello", protocol: 1, spaces, episodes: options.episodes },
        limits: { steps, episode_seconds, ...clocks },
      };
    },

    /** Judges a request, which is any JSON value. */
    request(message: unknown): Move {
      if (failure === null && now() >= this.deadline()) failure = this.late();
      takeTime();
      const asked = (message ?? {}) as { type?: unknown } & Asked;
      switch (asked.type) {
        case "step":
          return step(asked);
        case "reset":
          return reset(asked.episode);
        case "hello":
          return { kind: "answer", answer: this.hello() };
        case "submit":
          if (isDone()) return { kind: "finish" };
          return agent === "remote" && asked.early === true ? giveUp() : refuse("submit_early", unfinished());
        default:
          return refuse("request_unknown", 'expected {"type": "hello", "reset", "step" or "submit", …}');
      }
    },

    /** Refuses what is not even JSON. */
    invalid(message: string): Move {
      takeTime();
      return refuse("request_unknown", message);
    },

    /** Starts the episode of a reset with what the environment answered. */
    observed({ observation, text, info }: Observed): AgentAnswer {
      const episode = played.length + 1;
      current = { episode, steps: 0, return: 0, ended: "unfinished" };
      bank = bankAtStart;
      environmentMs = 0;
      const answer: AgentAnswer = { type: "observation", episode, observation, info };
      answered(episode, 0, "", answer, text);
      began = waitingSince;
      return answer;
    },

    /** Counts a step with what the environment answered. */
    stepped(move: { text: string }, outcome: Outcome): StepAnswer {
      const at = current!;
      const { observation, text, reward, terminated, info } = outcome;
      at.steps++;
      at.return += reward;
      const truncated = outcome.truncated || (!terminated && at.steps >= limits.steps);
      if (terminated || truncated) {
        at.ended = terminated ? "terminated" : "truncated";
        played.push(at);
        current = null;
      }
      // Without spreads, which are slow, for each step.
      const answer: StepAnswer = {
        type: "step",
        episode: at.episode,
        n: at.steps,
        observation,
        reward: options.rewardVisible ? reward : 0,
        terminated,
        truncated,
        info,
      };
      if (agent === "code") answer.bank_ms = Math.max(0, Math.floor(bank));
      answered(at.episode, at.steps, move.text, answer, text);
      return answer;
    },

    /** When the next request must have come: a time of the clock. */
    deadline(): number {
      if (isDone()) return Number.POSITIVE_INFINITY;
      if (current === null) return Math.min(waitingSince + limits.idle_seconds * 1000, restingSince + restMs);
      const silence = agent === "code" ? stepMs + bank : limits.idle_seconds * 1000;
      return Math.min(waitingSince + silence, began + limits.episode_seconds * 1000);
    },

    /** Returns why the session ends when the deadline has passed. */
    late(): RunFailure {
      const { episode_seconds, step_seconds, bank_seconds, idle_seconds } = limits;
      if (current !== null && now() >= began + episode_seconds * 1000) {
        const used = Math.round(environmentMs / 100) / 10;
        const text = `${place()}: the episode took longer than ${episode_seconds} s`;
        // An agent cannot hurry an environment.
        return environmentMs > (episode_seconds * 1000) / 2
          ? new RunFailure("env_timeout", `The environment took too long (${text}).`, `it used ${used} s`)
          : new RunFailure("agent_timeout", `The agent took too long (${text}).`);
      }
      if (agent === "remote" && current === null && now() >= restingSince + restMs)
        return new RunFailure(
          "session_abandoned",
          `The agent did not reset for ${restMs / 1000} s (${place()}).`,
        );
      if (agent === "remote")
        return new RunFailure(
          "session_abandoned",
          `The agent sent no request for ${idle_seconds} s (${place()}).`,
        );
      const clock =
        current === null
          ? `it may take ${idle_seconds} s until a reset`
          : `it may take ${step_seconds} s for a step, and its bank of ${bank_seconds} s is used up`;
      return new RunFailure("agent_timeout", `The agent took too long (${place()}): ${clock}.`);
    },

    /** Does not count time that neither agent nor environment used, such as that of a replay. */
    excuse(ms: number): void {
      began += ms;
      requestedAt += ms;
    },

    /** Does not count time before `since` in which no request of the agent could arrive. */
    excuseSilence(since: number): void {
      const ms = since - waitingSince;
      if (ms <= 0) return;
      waitingSince += ms;
      restingSince += ms;
      began += ms;
    },

    /** Starts all clocks again. */
    restartClocks(): void {
      waitingSince = now();
      restingSince = waitingSince;
      began = waitingSince;
    },

    failure: () => failure,
    isDone,
    /**
     * When the last reset or step was answered, once all episodes are finished: nothing that is asked then
     * changes it.
     */
    answeredAt: () => waitingSince,
    hasStarted: () => current !== null || played.length > 0,
    place,
    /** Where the session is: the step that is being answered when a request was accepted. */
    playing: () => current,
    episodes: (): Episode[] => (current === null ? [...played] : [...played, { ...current }]),
    meanReturn: () => played.reduce((sum, episode) => sum + episode.return, 0) / options.episodes,
    invalidActions: () => invalidActions,
    /** Of the last request: how long agent and environment took. */
    times: () => ({ agentMs, environmentMs: waitingSince - requestedAt }),
    unfinished,
  };

  function unfinished(): string {
    const what = current === null ? "" : `, and episode ${current.episode} is not over`;
    return `${played.length} of ${options.episodes} episodes are finished${what}`;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)} …` : text;
}
