import { hearParent } from "../lib/parent-process.ts";
import { runAnySchedule } from "./any-schedule.ts";
import { replayed, seeded } from "./choices.ts";
import { PLANTED_FAULTS } from "./planted/planted-faults.ts";
import { shrink } from "./shrink.ts";
import { createDatabase } from "./simulated-records.ts";

/** Lines of a trace that are shown: the failure is at its end. */
const MAX_LINES = 150;
const HEARS_PARENT_EVERY = 100;

/** The result of a range of schedules, to its end or to its first failure. */
export interface RangeResult {
  schedules: number;
  choices: number;
  failure: { seed: number; message: string; trace: readonly string[] } | null;
}

export async function runRange(first: number, count: number, plantedName?: string): Promise<RangeResult> {
  const planted = plantedName === undefined ? null : PLANTED_FAULTS[plantedName]!;
  const database = await createDatabase();
  planted?.plant(database.sqlite);
  let choices = 0;
  for (let seed = first; seed < first + count; seed++) {
    if (seed % HEARS_PARENT_EVERY === 0) await hearParent();
    const ended = await runAnySchedule(database, seed, seeded(seed), planted);
    choices += ended.taken.length;
    if (ended.violation === null) continue;
    const { promise } = ended.violation;
    const dullest = await shrink(ended.taken, async (candidate) => {
      const again = await runAnySchedule(database, seed, candidate, planted);
      return again.violation?.promise === promise;
    });
    const { violation, trace } = await runAnySchedule(database, seed, replayed(dullest), planted);
    return {
      schedules: seed - first + 1,
      choices,
      failure: {
        seed,
        message: violation?.message ?? ended.violation.message,
        trace: trace().slice(-MAX_LINES),
      },
    };
  }
  return { schedules: count, choices, failure: null };
}
