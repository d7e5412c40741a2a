import type { Place, SubmissionEvent } from "@crowdai/shared";
import type { ConnectionChange } from "../../client/session/outage.ts";
import type { Progress, Waiting } from "../../submit/follow.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { gradersText, queuePositionText, startText } from "../../terminal/queue-text.ts";
import { createRate, type Pace } from "../../terminal/rate.ts";
import type { Spinner, Terminal } from "../../terminal/terminal.ts";
import { durationText } from "../../terminal/time.ts";
import { barText, isNarrow, transferText } from "../../terminal/transfer-text.ts";

/** Shows the progress of a submission on stderr and, with --format ndjson, each event on stdout. */
export interface ProgressView {
  say(text: string): void;
  progress(progress: Progress): void;
  /** Shows how many of the answers to parallel calls have arrived. */
  answers(done: number, total: number): void;
  event(event: SubmissionEvent): void;
  place(place: Place): void;
  /** Says that the connection is lost, or back. */
  connection(change: ConnectionChange): void;
  /** Prints a warning. */
  warn(text: string): void;
  stop(): void;
}

export function createProgressView(terminal: Terminal): ProgressView {
  let spinner: Spinner | undefined;
  let current = "";
  let isLost = false;
  let ticking: NodeJS.Timeout | undefined;
  const show = () => {
    const text = isLost && terminal.animates ? `Connection lost, trying again. ${current}` : current;
    if (spinner) spinner.update(text);
    else spinner = terminal.spinner(text);
  };
  const say = (text: string) => {
    current = text;
    show();
  };
  let stage = "";
  let rate = createRate();
  const describe = (progress: Progress): string => {
    if (progress.stage !== stage) rate = createRate();
    stage = progress.stage;
    const isBytes = progress.stage === "hashing" || progress.stage === "uploading";
    return progressText(progress, terminal, isBytes ? rate(progress.done, progress.total) : null);
  };
  return {
    say(text) {
      clearInterval(ticking);
      say(text);
    },
    progress(progress) {
      clearInterval(ticking);
      say(describe(progress));
      // The expected start comes nearer while nothing happens.
      if (progress.stage !== "waiting" || progress.expectedAt === null || !terminal.animates) return;
      ticking = setInterval(() => say(describe(progress)), 1000);
      ticking.unref();
    },
    answers(done, total) {
      const { leftMs } = rate(done, total);
      const left = leftMs ? `, ${durationText(leftMs)} left` : "";
      say(`${barText(done / total, terminal)} ${done} of ${total} answers${left}`);
    },
    event(event) {
      terminal.event({ type: "event", event });
      if (terminal.format !== "ndjson" && event.type === "log" && typeof event.data.message === "string")
        terminal.note(`  ${event.data.message}`);
    },
    place(place) {
      terminal.event({ type: "place", ...place });
    },
    connection(change) {
      isLost = change.state === "lost";
      if (change.state === "back") terminal.note(`Connected again after ${durationText(change.afterMs)}.`);
      else if (!spinner || !terminal.animates) terminal.note("Connection lost, trying again.");
      if (spinner) show();
    },
    warn: (text) => terminal.warn(text),
    stop() {
      clearInterval(ticking);
      spinner?.stop();
      spinner = undefined;
    },
  };
}

const STEPS = {
  build: "Building",
  sample: "Running on the sample",
  run: "Running on the private input",
  play: "Playing",
  evaluate: "Evaluating the output",
};

function progressText(progress: Progress, terminal: Terminal, pace: Pace | null): string {
  switch (progress.stage) {
    case "hashing":
    case "uploading": {
      const { done, total } = progress;
      const verb = progress.stage === "hashing" ? "Reading" : "Uploading";
      return transferText(verb, { done, total, pace }, terminal);
    }
    case "waiting":
      if (isNarrow(terminal) && progress.place !== null) return plainLine(shortQueueText(progress));
      return plainLine(`Waiting for a grader${queueText(progress)}`);
    case "grading": {
      const bar = progress.percent === null ? "" : ` ${barText(progress.percent / 100, terminal)}`;
      if (progress.step === "play") return plainLine(`Playing${playText(progress.message)}`);
      if (progress.step) return STEPS[progress.step] + bar;
      return `Grading${bar}${progress.message ? ` ${plainLine(progress.message)}` : ""}`;
    }
  }
}

/** Returns such as `: episode 2 of 3, step 140, return 31.2`; nothing for what "Playing" says already. */
function playText(message: string | null): string {
  return message && !message.startsWith("Playing")
    ? `: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
    : "";
}

/**
 * Returns such as ` (position 3 in the queue, starts in 20 s, 2 graders)`, or the reason why nothing happens.
 */
function queueText({ place, reason, expectedAt, graders }: Waiting): string {
  const facts = [
    place === null ? null : queuePositionText(place),
    expectedAt === null ? null : `starts ${startText(expectedAt)}`,
    reason === null && graders !== null ? gradersText(graders) : null,
  ].filter((fact) => fact !== null);
  return `${facts.length > 0 ? ` (${facts.join(", ")})` : ""}${reason ? `: ${reason}` : ""}`;
}

/** Returns such as `Position 3, starts in 20 s, 2 graders`, which 40 columns show to its end. */
function shortQueueText({ place, reason, expectedAt, graders }: Waiting): string {
  const facts = [
    place === 1 ? "Next" : `Position ${place}`,
    reason,
    expectedAt === null ? null : `starts ${startText(expectedAt)}`,
    reason === null && graders !== null ? gradersText(graders) : null,
  ];
  return facts.filter((fact) => fact !== null).join(", ");
}
