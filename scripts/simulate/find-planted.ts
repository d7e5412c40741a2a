// Looks for each planted fault whose name matches, and sends the number of schedules until it was found, or
// null.
//
//   node scripts/simulate/find-planted.ts [<regular expression>]
import { hearParent, sendToParent } from "../lib/parent-process.ts";
import { makePlantable } from "./planted/plant-in-code.ts";
import { PLANTED_FAULTS } from "./planted/planted-faults.ts";

const MAX_SCHEDULES = 1000;

const wanted = new RegExp(process.argv[2] ?? "");

makePlantable();
const { runAnySchedule } = await import("./any-schedule.ts");
const { seeded } = await import("./choices.ts");
const { createDatabase } = await import("./simulated-records.ts");

const database = await createDatabase();
const found: Record<string, number | null> = {};
for (const [name, planted] of Object.entries(PLANTED_FAULTS)) {
  if (!wanted.test(name)) continue;
  found[name] = null;
  await hearParent();
  planted.plant(database.sqlite);
  for (let seed = 1; seed <= MAX_SCHEDULES && found[name] === null; seed++) {
    const { violation } = await runAnySchedule(database, seed, seeded(seed), planted);
    if (violation !== null) found[name] = seed;
  }
  planted.remove(database.sqlite);
}
sendToParent(found);
