import type { JournalEntry } from "@crowdai/shared/step-channel";
import { BEGIN, type Failures } from "./play-schedule.ts";
import type { Row, Verdicts } from "./promises.ts";
import { EPISODE_SECONDS, EPISODES, IDLE_SECONDS } from "./simulated-environment.ts";
import type { Program, World } from "./world.ts";

/** An answer is sent a while after the clock of the session was started again. */
const SLACK_SECONDS = 30;

/**
 * Promises to the agent of a session: its verdict is the right one, its grade is that of the journal, and
 * each step counts once.
 */
export interface SessionPromises {
  readonly verdicts: Verdicts;
  /** Whether the agent has an observation of its first episode. */
  hasObserved: boolean;
  /** Whether a grader said that it reported the start of the game. */
  isReported: boolean;
  mayBeCancelled: boolean;
  /** Whether the job may have been lost, so that the deadline of the grading passes. */
  mayBeOverdue: boolean;
  /** A grader heard of the agent, or answered it. */
  heard(grader: Program): void;
  /** An entry was added to the journal, as its last one. */
  recorded(journal: readonly JournalEntry[]): void;
  /** A grader reports the outcome of a delivery of the job, which it took at a time. */
  ends(grader: Program, delivery: string, tookAt: number): void;
  /** The submission as it was last committed. */
  row(): Row | null;
}

/** The last moments of a session, as the grader that reports its outcome knows them. */
interface Ending {
  /** Milliseconds since it last heard of the agent. */
  silence: number;
  /** Milliseconds since it took the job. */
  took: number;
}

export function createSessionPromises(
  world: World,
  journal: () => readonly JournalEntry[],
  broke: Failures["broke"],
): SessionPromises {
  /** When each grader last heard of the agent, and when before that. */
  const heardAt = new WeakMap<Program, { at: number; before: number }>();
  /** By the name of the delivery. */
  const endings = new Map<string, Ending>();
  let row: Row | null = null;

  /** A request of the moment in which the deadline passed came too late to end the silence. */
  function silenceOf(grader: Program): number {
    const now = world.now().getTime();
    const { at, before } = heardAt.get(grader) ?? { at: BEGIN, before: BEGIN };
    return now - (at === now ? before : at);
  }

  const promises: SessionPromises = {
    hasObserved: false,
    isReported: false,
    mayBeCancelled: false,
    mayBeOverdue: false,
    verdicts: {
      check(found, fail) {
        row = found;
        if (found.overdue > 0 && !promises.mayBeOverdue)
          fail("a healthy session goes on", "it was taken away from its grader");
        checkEnd(found, fail);
      },
      slots({ state, error_code, plays }) {
        // The answer to the first reset may be on its way.
        const played = promises.hasObserved
          ? ["charged"]
          : journal().length > 0
            ? ["charged", "returned"]
            : ["returned"];
        if (state === "cancelled") return plays > 0 ? ["charged"] : ["returned"];
        return error_code === "session_abandoned" || error_code === "agent_timeout" ? played : ["returned"];
      },
    },
    heard(grader) {
      const now = world.now().getTime();
      const { at } = heardAt.get(grader) ?? { at: BEGIN };
      if (at !== now) heardAt.set(grader, { at: now, before: at });
    },
    recorded: (entries) => checkOrder(entries, broke),
    ends(grader, delivery, tookAt) {
      endings.set(delivery, { silence: silenceOf(grader), took: world.now().getTime() - tookAt });
    },
    row: () => row,
  };
  return promises;

  function checkEnd({ state, score, error_code, outcome_of, attempt }: Row, fail: Fails): void {
    if (state === "graded") {
      if (!isComplete(journal())) fail("the right end", "it was graded before its last episode was over");
      const expected = gradeOf(journal());
      if (score !== expected) fail("the grade is that of the journal", `${score} instead of ${expected}`);
    } else if (state === "cancelled" && !promises.mayBeCancelled)
      fail("the right end", "no one cancelled it");
    if (state !== "failed") return;
    const { silence, took } = endings.get(outcome_of ?? "") ?? { silence: 0, took: 0 };
    const isAbandoned =
      error_code === "session_abandoned" && silence >= 1000 * (IDLE_SECONDS - SLACK_SECONDS);
    const isLate = error_code === "agent_timeout" && took >= 1000 * EPISODE_SECONDS;
    if (!isAbandoned && !isLate && error_code !== "gave_up")
      fail(
        "the right end",
        `it failed with ${error_code} in attempt ${attempt} after ${silence} ms of silence`,
      );
  }
}

type Fails = (promise: string, message: string) => never;

export const rewardsOf = (journal: readonly JournalEntry[]): number =>
  journal.reduce((sum, entry) => sum + (entry.type === "step" ? entry.reward : 0), 0);

/** Returns the mean reward of an episode. */
export const gradeOf = (journal: readonly JournalEntry[]): number => rewardsOf(journal) / EPISODES;

const isComplete = (journal: readonly JournalEntry[]): boolean =>
  journal.filter((entry) => entry.type === "step" && entry.over).length === EPISODES;

/** The last entry follows the one before: none is missing, and none is there twice. */
function checkOrder(journal: readonly JournalEntry[], broke: Failures["broke"]): void {
  const entry = journal.at(-1)!;
  const before = journal.at(-2);
  if (before?.type === "submit" || entry.type === "submit") {
    // A submit may be recorded again, and nothing else comes after it.
    if (entry.type !== "submit")
      broke("each step counts once", `${JSON.stringify(entry)} follows the submit`);
    return;
  }
  const fits =
    entry.type === "reset"
      ? before === undefined
        ? entry.episode === 1
        : before.type === "step" && before.over && entry.episode === before.episode + 1
      : before?.episode === entry.episode && entry.n === (before.type === "step" ? before.n + 1 : 1);
  if (!fits) broke("each step counts once", `${JSON.stringify(entry)} follows ${JSON.stringify(before)}`);
}
