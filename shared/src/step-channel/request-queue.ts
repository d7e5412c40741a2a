import type { SessionReply } from "./step-channel.ts";

/** The requests that a grader has to answer for a session, one at a time and in order. */
export interface RequestQueue<T> {
  add(request: T): void;
  /** Takes a request back, unless it runs already. */
  remove(request: T): void;
  /** Takes no further request, and resolves when the one that runs is answered. */
  stop(): Promise<void>;
}

export function createRequestQueue<T>(
  answer: (request: T) => Promise<SessionReply>,
  /** Called with each answer; and with null when there is none, because `answer` has rejected. */
  settle: (request: T, reply: SessionReply | null) => void | Promise<void>,
): RequestQueue<T> {
  const waiting: T[] = [];
  let stopped = false;
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    for (let next = waiting.shift(); next && !stopped; next = waiting.shift())
      await settle(next, await answer(next).catch(() => null));
    running = null;
  }

  return {
    add(request) {
      waiting.push(request);
      running ??= run();
    },
    remove(request) {
      const place = waiting.indexOf(request);
      if (place >= 0) waiting.splice(place, 1);
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}
