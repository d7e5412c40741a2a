import type { Choices } from "./choices.ts";
import type { PlantedFault } from "./planted/planted-fault.ts";
import type { Ended } from "./play-schedule.ts";
import { runSchedule } from "./schedule.ts";
import { runSessionSchedule } from "./session-schedule.ts";
import type { Database } from "./simulated-records.ts";

const KINDS = 5;

/** Runs the schedule of a seed with these choices: every fifth is one session, the others are submissions. */
export const runAnySchedule = (
  database: Database,
  seed: number,
  choices: Choices,
  planted: PlantedFault | null = null,
): Promise<Ended> =>
  seed % KINDS === KINDS - 1
    ? runSessionSchedule(database, choices, planted)
    : runSchedule(database, choices, planted);
