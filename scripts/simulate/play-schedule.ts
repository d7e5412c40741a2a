import type { Choices } from "./choices.ts";
import type { Database } from "./simulated-records.ts";
import { Violation } from "./violation.ts";
import { createWorld, useTimersOf, type World } from "./world.ts";

export const BEGIN = Date.parse("2026-01-01T00:00:00Z");
/** From the crash of a program to its next start. */
export const RESTART_MS = 3000;
const MAX_FAULTS = 5;

export interface Ended {
  violation: Violation | null;
  taken: readonly number[];
  trace: () => string[];
}

/** Broken promises of a schedule, of which the first counts. */
export interface Failures {
  /** Takes a broken promise, or an error of the product's own, which must repeat and shrink like one. */
  failed(error: unknown): void;
  broke(promise: string, message: string): void;
  /** Returns the same work, whose errors are kept. */
  guarded<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void;
  throwFirst(): void;
}

/**
 * Runs a schedule in a world of its own to its end, or to the first broken promise. Nothing of it stays in
 * the database.
 */
export async function playSchedule(
  database: Database,
  choices: Choices,
  play: (world: World, failures: Failures) => Promise<void>,
): Promise<Ended> {
  const world = createWorld(choices, {
    // Also none: what repairs one fault may hide another.
    faults: choices.pick(MAX_FAULTS + 1),
    begin: BEGIN,
  });
  const ended = (violation: Violation | null): Ended => ({
    violation,
    taken: choices.taken,
    trace: world.trace,
  });
  useTimersOf(world);
  try {
    await play(world, createFailures());
    return ended(null);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return ended(error);
  } finally {
    useTimersOf(null);
    database.end();
  }
}

function createFailures(): Failures {
  let first: Violation | null = null;
  const failures: Failures = {
    failed(error) {
      first ??= error instanceof Violation ? error : new Violation("no error of its own", textOf(error));
    },
    broke(promise, message) {
      first ??= new Violation(promise, message);
    },
    guarded:
      (work) =>
      (...args) => {
        try {
          work(...args);
        } catch (error) {
          failures.failed(error);
        }
      },
    throwFirst() {
      if (first !== null) throw first;
    },
  };
  return failures;
}

const textOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));
