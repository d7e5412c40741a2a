import {
  type AgentAnswer,
  type AgentRequest,
  CrowdaiError,
  createSubmissionId,
  MAX_STEP_BYTES,
  type PublicChallenge,
  parseExact,
  SUBMISSION_ID,
  toJsonText,
} from "@crowdai/shared";
import { interruption, pause } from "../async/abort.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { type FollowOptions, follow, type Progress } from "../submit/follow.ts";
import { beforeAcceptance, requireGrade } from "../submit/grade.ts";
import type { Environment, EnvironmentHello } from "./environment.ts";

/** How long closing may take. */
const CLOSE_MS = 3_000;
/** How much longer than the environment itself an answer may take. */
const ANSWER_MS = 30_000;
const QUICK_MS = 200;

export interface OpenEnvironmentOptions extends Pick<FollowOptions, "onProgress" | "onEvent" | "onPlace"> {
  /** Id of the submission; a session that exists is joined. */
  id?: string;
  round?: string | number;
  message?: string;
  /** Ends all calls with `interrupted`. */
  signal?: AbortSignal;
}

/**
 * Registers a session with the environment of the challenge. Throws kind_not_accepted and what the broker
 * refuses.
 */
export async function openEnvironment<Observation, Action>(
  session: BrokerSession,
  { id = createSubmissionId(), round, message, signal, ...options }: OpenEnvironmentOptions,
): Promise<Environment<Observation, Action>> {
  const challenge = session.opening.challenge!;
  requireRemoteAgents(challenge);
  if (!SUBMISSION_ID.test(id))
    throw new CrowdaiError("usage", `"${id}" is not a valid submission id.`, {
      next: "Use 8 to 64 letters, digits, - or _, starting with a letter or digit.",
    });
  const named = round === undefined ? null : String(round);
  await session
    .createEnvironment({ id, challenge: challenge.id, round: named, message: message ?? null }, signal)
    .catch((failure) => {
      throw beforeAcceptance(failure, id);
    });
  const feed = session.watch(id, { signal });
  const progress = reportOnce(options.onProgress);
  const following = follow(feed, { ...options, onProgress: progress });
  // Its failure is reported where the grade is awaited.
  following.catch(() => {});

  let episode = 0;
  let steps = 0;
  let info: Record<string, unknown> = {};
  let isOver = true;
  let isPlayed = false;
  let isClosed = false;
  const { reset_seconds = 60, env_step_seconds = 30 } = challenge.environment!.limits;
  const asking = { signal, answerMs: ANSWER_MS + 1000 * Math.max(reset_seconds, env_step_seconds) };

  function requireOpen(): void {
    if (signal?.aborted) throw interruption(signal);
    if (isClosed) throw new CrowdaiError("interrupted", `Session ${id} was closed.`);
  }
  async function ask<T extends AgentRequest["type"]>(
    request: AgentRequest & { type: T },
  ): Promise<Answer<T>> {
    requireOpen();
    for (;;) {
      const began = performance.now();
      const answer = await session.askEnvironment(id, request, asking);
      if (answer.type === "waiting") {
        const { place, reason } = answer;
        // Without a place, it is played and the answer takes long.
        if (place !== null || reason !== null)
          progress({ stage: "waiting", place, reason, expectedAt: null, graders: null });
        // A broker waits for a grader before it answers so.
        if (performance.now() - began < QUICK_MS) await pause(QUICK_MS, signal);
        continue;
      }
      if (answer.type === "error") throw refusedRequest(answer, request);
      return answer as Answer<T>;
    }
  }
  const inOrder = createOrder();

  return {
    id,
    get episode() {
      return episode;
    },
    get steps() {
      return steps;
    },
    get info() {
      return info;
    },
    hello: () =>
      inOrder(async () => {
        const { spaces, episodes, limits } = await ask({ type: "hello" });
        return { spaces, episodes, limits } as EnvironmentHello;
      }),
    reset: () =>
      inOrder(async () => {
        const answer = await ask({ type: "reset", episode: episode + 1 });
        if (answer.type === "end") {
          isPlayed = true;
          return null;
        }
        [episode, steps, info, isOver] = [answer.episode, 0, answer.info, false];
        return answer.observation as Observation;
      }),
    step(action) {
      // At once, because the caller may change the array.
      const sent = sendable(action);
      return inOrder(async () => {
        requireOpen();
        // Found here, so that the session does not count it.
        if (isOver) throw notRunning(episode);
        const answer = await ask({ type: "step", episode, n: steps + 1, action: sent });
        const { observation, reward, terminated, truncated } = answer;
        const done = terminated || truncated;
        [steps, info, isOver] = [answer.n, answer.info, done];
        return { observation: observation as Observation, reward, terminated, truncated, done, info };
      });
    },
    submit: () =>
      inOrder(async () => {
        await ask({ type: "submit" });
        isPlayed = true;
        return requireGrade(await following);
      }),
    close,
    [Symbol.asyncDispose]: close,
  };

  /** A failure leaves the session to its own limits. */
  async function close(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    const within = AbortSignal.timeout(CLOSE_MS);
    const leaving = isPlayed
      ? session.askEnvironment(id, { type: "submit" }, { signal: within })
      : session.cancel(id, within);
    await leaving.catch(() => {});
    feed.stop();
  }
}

/** Throws kind_not_accepted unless the challenge has an environment for agents that run elsewhere. */
export function requireRemoteAgents({ id, environment }: PublicChallenge): void {
  if (!environment)
    throw new CrowdaiError("kind_not_accepted", `${id} has no environment.`, {
      next: "`crowdai challenge` shows what the challenge accepts.",
    });
  if (!environment.agents.includes("remote"))
    throw new CrowdaiError("kind_not_accepted", `${id} takes agents only as code, which the graders run.`, {
      next: "Submit the agent with `crowdai submit --code`.",
    });
}

type Answer<T extends AgentRequest["type"]> = T extends "reset"
  ? Extract<AgentAnswer, { type: "observation" | "end" }>
  : T extends "submit"
    ? Extract<AgentAnswer, { type: "end" }>
    : Extract<AgentAnswer, { type: T }>;

function notRunning(episode: number): CrowdaiError {
  const message =
    episode === 0
      ? "There was a step before the first reset."
      : `There was a step after the end of episode ${episode}.`;
  return new CrowdaiError("agent_request", message, {
    next: "Call reset() before the first step of each episode.",
    details: { type: "step", episode, reason: "step_order" },
  });
}

function refusedRequest(
  { code, message }: Extract<AgentAnswer, { type: "error" }>,
  request: AgentRequest,
): CrowdaiError {
  const { action: _, ...details } = { action: null, ...request };
  return new CrowdaiError("agent_request", message, { details: { ...details, reason: code } });
}

/**
 * Returns the value that is sent for an action. Throws value_not_finite, value_not_exact, value_not_json,
 * value_too_large.
 */
function sendable(action: unknown): unknown {
  const text = toJsonText(action, { safeIntegers: true });
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_STEP_BYTES)
    throw new CrowdaiError(
      "value_too_large",
      `The action is ${bytes} bytes of JSON; a session accepts at most ${MAX_STEP_BYTES}.`,
      { details: { size: bytes, max_bytes: MAX_STEP_BYTES } },
    );
  return parseExact(text);
}

/** Returns a function that runs one piece of work after the other. */
function createOrder(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}

/**
 * Both the events and the answers of a waiting session have its queue position: passes on what has changed.
 */
function reportOnce(onProgress: ((progress: Progress) => void) | undefined): (progress: Progress) => void {
  let last: Progress | undefined;
  return (progress) => {
    const isKnown =
      last?.stage === "waiting" &&
      progress.stage === "waiting" &&
      progress.expectedAt === null &&
      last.place === progress.place &&
      last.reason === progress.reason;
    if (isKnown) return;
    last = progress;
    onProgress?.(progress);
  };
}
