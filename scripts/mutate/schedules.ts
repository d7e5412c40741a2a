import { beforeAll, expect, it } from "vitest";
import { seeded } from "../simulate/choices.ts";
import { runSchedule } from "../simulate/schedule.ts";
import { createDatabase, type Database } from "../simulate/simulated-records.ts";

/** Schedules of `npm run simulate`, each as a test, so that a mutant is tried in those that reach it. */
const SCHEDULES = 30;

let database: Database;
beforeAll(async () => {
  database = await createDatabase();
});

it.each(Array.from({ length: SCHEDULES }, (_, index) => index + 1))(
  "every promise holds in schedule %i",
  async (seed) => {
    const { violation } = await runSchedule(database, seeded(seed));
    expect(violation?.message).toBeUndefined();
  },
);
