import {
  isFinal,
  type LiveEvent,
  type Place,
  type Submission,
  type SubmissionEvent,
  type Watched,
} from "@crowdai/shared";
import { interruption } from "../../async/abort.ts";

/** What a watcher is told: a numbered event, or how the submission stands now. */
export type Update =
  | { kind: "event"; event: SubmissionEvent; submission: Submission | null }
  | { kind: "place"; place: Place }
  | { kind: "submission"; submission: Submission };

/**
 * The events of one submission, put together from live messages and from answers to `watch`, each exactly once and in
 * order. Ends after the last event; the update it comes with holds the final submission.
 */
export interface Feed extends AsyncIterable<Update> {
  readonly submission: string;
  /** Number of the last event handed on. */
  readonly seen: number;
  readonly ended: boolean;
  /** Takes a live event; true when events before it are missing, so that they must be asked for. */
  live(message: LiveEvent): boolean;
  /** Takes an answer to `watch`; true when there is more to ask for. */
  caughtUp(answer: Watched): boolean;
  place(place: Place): void;
  /** Ends the feed for its reader: without an error, or with one. */
  stop(error?: unknown): void;
  /** Stops the feed with `interrupted` once the signal is aborted. */
  stopOn(signal: AbortSignal): void;
}

/** `onEnd` is called once, when the last event was taken or the feed was stopped. */
export function createFeed(submission: string, after = 0, onEnd: () => void = () => {}): Feed {
  const ready: Update[] = [];
  /** Live events that came before the ones they follow. */
  let held: LiveEvent[] = [];
  let seen = after;
  let ended = false;
  let failure: { error: unknown } | undefined;
  let wake: (() => void) | undefined;
  /** Removes the listeners of signals that would stop this feed. */
  const detach: (() => void)[] = [];

  function hand(update: Update): void {
    ready.push(update);
    wake?.();
  }
  function end(): void {
    if (ended) return;
    ended = true;
    wake?.();
    for (const step of detach) step();
    onEnd();
  }
  function stop(error?: unknown): void {
    if (ended) return;
    if (error !== undefined) failure = { error };
    end();
  }
  function take(event: SubmissionEvent, with_: Submission | null): void {
    if (ended || event.seq <= seen) return;
    seen = event.seq;
    hand({ kind: "event", event, submission: with_ });
    if (with_ && isFinal(with_.state) && seen >= with_.seq) end();
  }
  /** Hands on the held events that follow what was seen; true when some still wait for others. */
  function release(): boolean {
    held = held.filter((message) => message.event.seq > seen).sort((a, b) => a.event.seq - b.event.seq);
    while (held[0]?.event.seq === seen + 1) {
      const message = held.shift()!;
      take(message.event, message.submission);
    }
    return held.length > 0 && !ended;
  }

  return {
    submission,
    get seen() {
      return seen;
    },
    get ended() {
      return ended;
    },
    live(message) {
      if (ended || message.event.seq <= seen) return false;
      held.push(message);
      return release();
    },
    caughtUp(answer) {
      if (ended) return false;
      const before = seen;
      const final = isFinal(answer.submission.state);
      for (const event of [...answer.events].sort((a, b) => a.seq - b.seq))
        take(event, final && event.seq === answer.submission.seq ? answer.submission : null);
      if (ended) return false;
      const waits = release();
      if (ended) return false;
      const complete = seen >= answer.submission.seq;
      hand({ kind: "submission", submission: answer.submission });
      if (final && complete) end();
      return !ended && seen > before && (waits || !complete);
    },
    place(place) {
      if (!ended) hand({ kind: "place", place });
    },
    stop,
    stopOn(signal) {
      if (ended) return;
      const abort = () => stop(interruption(signal));
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      detach.push(() => signal.removeEventListener("abort", abort));
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const update = ready.shift();
        if (update) yield update;
        else if (failure) throw failure.error;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
