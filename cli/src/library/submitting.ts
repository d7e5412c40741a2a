import type { Submission, SubmissionEvent } from "@crowdai/shared";
import type { CodeOutcome } from "../snapshot/send/code-outcome.ts";
import type { FollowOptions, Progress } from "../submit/follow.ts";

/**
 * The events of a submission, in order: progress, numbered events, the outcome of its code, and last its
 * grade. With `wait: false` the last is `accepted`.
 *
 * @example
 * for await (const event of challenge.submit({ predictions }))
 *   if (event.type === "graded") console.log(event.submission.score);
 */
export type SubmitEvent<T extends Submission = Submission> =
  | { type: "progress"; progress: Progress }
  | { type: "event"; event: SubmissionEvent }
  | { type: "code"; outcome: CodeOutcome | null }
  | { type: "accepted"; submission: Submission }
  | { type: "graded"; submission: T };

/**
 * A submission in progress: await it for the grade, or iterate it for its events, before you await anything
 * else. If the submission fails, the loop throws its error; if you leave the loop, the submission continues.
 *
 * @example
 * const submitting = challenge.submit({ predictions });
 * for await (const event of submitting) console.error(event.type);
 * const grade = await submitting;
 */
export interface Submitting<T extends Submission = Submission>
  extends Promise<T>,
    AsyncIterable<SubmitEvent<T>> {}

export interface Observers extends Pick<FollowOptions, "onProgress" | "onEvent"> {
  onCode?: (outcome: CodeOutcome | null) => void;
  onAccepted?: (submission: Submission) => void;
}

/** Starts a submission. Its events are collected only if they are iterated. */
export function startSubmitting<T extends Submission>(
  own: Observers,
  submit: (observers: Observers) => Promise<T>,
): Submitting<T> {
  const streams: EventStream<T>[] = [];
  // In a microtask: `for await` has asked for the events by then.
  const result = Promise.resolve().then(() => submit(streams.length > 0 ? observing(own, streams) : own));
  return Object.assign(result, {
    [Symbol.asyncIterator]() {
      const stream = new EventStream<T>();
      streams.push(stream);
      result.then(
        (submission) => stream.end(submission),
        (error) => stream.fail(error),
      );
      return stream;
    },
  });
}

function observing<T extends Submission>(own: Observers, streams: readonly EventStream<T>[]): Observers {
  const tell = (event: SubmitEvent<T>) => {
    for (const stream of streams) stream.push(event);
  };
  return {
    onProgress(progress) {
      own.onProgress?.(progress);
      tell({ type: "progress", progress });
    },
    onEvent(event) {
      own.onEvent?.(event);
      tell({ type: "event", event });
    },
    onCode(outcome) {
      own.onCode?.(outcome);
      tell({ type: "code", outcome });
    },
    onAccepted(submission) {
      own.onAccepted?.(submission);
      tell({ type: "accepted", submission });
    },
  };
}

class EventStream<T extends Submission> implements AsyncIterableIterator<SubmitEvent<T>> {
  #events: SubmitEvent<T>[] = [];
  #state: "open" | "ended" | { error: unknown } = "open";
  #wake: () => void = () => {};

  push(event: SubmitEvent<T>): void {
    if (this.#state !== "open") return;
    const last = this.#events.at(-1);
    // A slow reader gets the newest of what was measured, so that nothing piles up.
    if (isMeasured(event) && last && isMeasured(last) && last.progress.stage === event.progress.stage)
      this.#events.pop();
    this.#events.push(event);
    this.#wake();
  }

  end(submission: T): void {
    if (submission.state === "graded") this.push({ type: "graded", submission });
    if (this.#state === "open") this.#state = "ended";
    this.#wake();
  }

  fail(error: unknown): void {
    if (this.#state === "open") this.#state = { error };
    this.#wake();
  }

  async next(): Promise<IteratorResult<SubmitEvent<T>, undefined>> {
    while (this.#events.length === 0 && this.#state === "open")
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const value = this.#events.shift();
    if (value) return { done: false, value };
    const state = this.#state;
    if (typeof state === "string") return { done: true, value: undefined };
    this.#state = "ended";
    throw state.error;
  }

  async return(): Promise<IteratorResult<SubmitEvent<T>, undefined>> {
    this.#state = "ended";
    this.#events = [];
    this.#wake();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function isMeasured<T extends Submission>(
  event: SubmitEvent<T>,
): event is Extract<SubmitEvent<T>, { type: "progress" }> {
  return event.type === "progress" && "total" in event.progress;
}
