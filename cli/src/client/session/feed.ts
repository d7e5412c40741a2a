import {
  CrowdaiError,
  isFinal,
  type LiveEvent,
  type Place,
  type Submission,
  type SubmissionEvent,
  type Watched,
} from "@crowdai/shared";
import { interruption } from "../../async/abort.ts";

/** Live events that wait for their predecessors; the others are asked for. */
const MAX_HELD = 1000;

/** One item of a feed: a numbered event, a queue position, or the current submission. */
export type Update =
  | { kind: "event"; event: SubmissionEvent; submission: Submission | null }
  | { kind: "place"; place: Place }
  | { kind: "submission"; submission: Submission };

/**
 * The events of one submission, merged from live messages and answers to `watch`, each exactly once and in
 * order. Ends after the last event, whose update includes the final submission.
 */
export interface Feed extends AsyncIterable<Update> {
  readonly submission: string;
  /** Number of the last event that was added to the feed. */
  readonly seen: number;
  readonly ended: boolean;
  /** Adds a live event. Returns true if earlier events are missing and must be requested. */
  live(message: LiveEvent): boolean;
  /** Adds an answer to `watch`. Returns true if more must be requested. */
  caughtUp(answer: Watched): boolean;
  /** Adds a queue position. */
  place(place: Place): void;
  /** Ends the feed for its reader, with an error if one is given. */
  stop(error?: unknown): void;
  /** Stops the feed with `interrupted` once the signal is aborted. */
  stopOn(signal: AbortSignal): void;
}

/**
 * Creates a feed of the events after number `after`. `onEnd` is called once, after the last event or a stop.
 */
export function createFeed(id: string, after = 0, onEnd: () => void = () => {}): Feed {
  const ready: Update[] = [];
  /** Live events that arrived before their predecessors. */
  let held: LiveEvent[] = [];
  let seen = after;
  let ended = false;
  /** Number of the last event when an answer about an ended submission did not have the next one. */
  let stuckAt = -1;
  let failure: { error: unknown } | undefined;
  let wake: (() => void) | undefined;
  /** Removes the listeners of signals that would stop this feed. */
  const detach: (() => void)[] = [];

  function push(update: Update): void {
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
  function add(event: SubmissionEvent, submission: Submission | null): void {
    if (ended || event.seq <= seen) return;
    seen = event.seq;
    push({ kind: "event", event, submission });
    if (submission && isFinal(submission.state) && seen >= submission.seq) end();
  }
  /** Adds the held events that are next in order. Returns true if some still wait for earlier ones. */
  function release(): boolean {
    held = held.filter((message) => message.event.seq > seen).sort((a, b) => a.event.seq - b.event.seq);
    while (held[0]?.event.seq === seen + 1) {
      const message = held.shift()!;
      add(message.event, message.submission);
    }
    if (held.length > MAX_HELD) held.length = MAX_HELD;
    return held.length > 0 && !ended;
  }

  return {
    submission: id,
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
        add(event, final && event.seq === answer.submission.seq ? answer.submission : null);
      if (ended) return false;
      const hasGap = release();
      if (ended) return false;
      const complete = seen >= answer.submission.seq;
      push({ kind: "submission", submission: answer.submission });
      if (final && complete) end();
      if (final && !complete && seen === before) {
        if (stuckAt === seen)
          stop(
            new CrowdaiError(
              "unexpected",
              `The broker says that ${id} has ended, but lacks its last events.`,
            ),
          );
        stuckAt = seen;
        return false;
      }
      return !ended && seen > before && (hasGap || !complete);
    },
    place(place) {
      if (!ended) push({ kind: "place", place });
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
