// Looks for each planted fault, and sends the number of schedules until it was found, or null.
import { seeded } from "./choices.ts";
import { PLANTED_FAULTS } from "./planted-faults.ts";
import { runSchedule } from "./schedule.ts";
import { createDatabase } from "./simulated-records.ts";

const MAX_SCHEDULES = 1000;

const database = await createDatabase();
const found: Record<string, number | null> = {};
for (const [name, planted] of Object.entries(PLANTED_FAULTS)) {
  found[name] = null;
  for (let seed = 1; seed <= MAX_SCHEDULES && found[name] === null; seed++) {
    const { violation } = await runSchedule(database, seeded(seed), planted);
    if (violation !== null) found[name] = seed;
  }
}
process.send?.(found, () => process.disconnect?.());
