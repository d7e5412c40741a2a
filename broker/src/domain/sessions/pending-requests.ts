import { isDeepStrictEqual } from "node:util";
import { type AgentAnswer, type AgentRequest, CrowdaiError } from "@crowdai/shared";

/** How long an answer is kept for an agent that has to ask again, or whose connection broke. */
const KEPT_MS = 60_000;
/** Requests of one session that may wait at the same time. */
const MAX_PENDING = 64;

interface Pending {
  request: AgentRequest;
  answer: Promise<AgentAnswer>;
  controller: AbortController;
  /** Callers that wait for the answer. */
  waiting: number;
  isSettled: boolean;
  forget?: NodeJS.Timeout | undefined;
}

/** Requests of one session that have no answer yet, or whose answer was not fetched. */
export interface PendingRequests {
  /**
   * Resolves with the answer, or with null when there is none after `waitMs` or the signal is aborted. The
   * request goes on then: asking again waits for its answer.
   */
  ask(request: AgentRequest, waitMs: number, gone?: AbortSignal): Promise<AgentAnswer | null>;
  /** Rejects everything that waits. */
  end(reason: Error): void;
  readonly size: number;
}

/** A request is sent once, however often the agent asks while it has no answer. */
export function createPendingRequests(
  send: (request: AgentRequest, signal: AbortSignal) => Promise<AgentAnswer>,
): PendingRequests {
  const all = new Set<Pending>();

  function start(request: AgentRequest): Pending {
    if (all.size >= MAX_PENDING)
      throw new CrowdaiError("too_many_requests", `${all.size} requests of this session wait for an answer.`);
    const controller = new AbortController();
    const pending: Pending = {
      ...{ request, controller, waiting: 0, isSettled: false },
      answer: send(request, controller.signal).finally(() => {
        pending.isSettled = true;
        if (pending.waiting > 0) remove(pending);
      }),
    };
    // It may be settled when no one waits.
    pending.answer.catch(() => {});
    all.add(pending);
    return pending;
  }

  function remove(pending: Pending): void {
    clearTimeout(pending.forget);
    all.delete(pending);
  }

  function find(request: AgentRequest): Pending | undefined {
    for (const one of all)
      if ((one.waiting === 0 || isNumbered(request)) && isDeepStrictEqual(one.request, request)) return one;
    return undefined;
  }

  function leave(pending: Pending, isGone: boolean): void {
    pending.waiting--;
    if (pending.waiting > 0 || !all.has(pending)) return;
    const drop = () => {
      if (pending.waiting > 0) return;
      remove(pending);
      pending.controller.abort(new CrowdaiError("interrupted"));
    };
    // No one could ask for it again.
    const keptMs = isGone && !isNumbered(pending.request) ? 0 : KEPT_MS;
    clearTimeout(pending.forget);
    pending.forget = setTimeout(drop, keptMs);
    pending.forget.unref();
  }

  return {
    async ask(request, waitMs, gone) {
      const known = all.size > 0 ? find(request) : undefined;
      // The agent went on without the answers that were kept for it.
      if (!known) for (const one of all) if (one.isSettled) remove(one);
      const pending = known ?? start(request);
      pending.waiting++;
      let isGone = false;
      const { promise: nothing, resolve } = Promise.withResolvers<null>();
      const timer = setTimeout(resolve, waitMs, null);
      const left = () => {
        isGone = true;
        resolve(null);
      };
      gone?.addEventListener("abort", left, { once: true });
      if (gone?.aborted) left();
      try {
        return await Promise.race([pending.answer, nothing]);
      } finally {
        clearTimeout(timer);
        gone?.removeEventListener("abort", left);
        if (pending.isSettled) remove(pending);
        leave(pending, isGone);
      }
    },
    end(reason) {
      for (const { controller } of all) controller.abort(reason);
    },
    get size() {
      return all.size;
    },
  };
}

/** Whether a session answers a repetition of the request as it answered the request. */
function isNumbered(request: AgentRequest): boolean {
  if (request.type === "reset") return request.episode !== undefined;
  return request.type !== "step" || request.n !== undefined;
}
