// Runs the schedules of a range of seeds, and sends what was found to `npm run simulate`, which started it.
//
//   node scripts/simulate/range.ts <first seed> <count> [planted fault]
import { sendToParent } from "../lib/parent-process.ts";

const [first, count, planted] = process.argv.slice(2);
// Before anything of the product is imported.
if (planted !== undefined) (await import("./planted/plant-in-code.ts")).makePlantable();
const { runRange } = await import("./run-range.ts");
sendToParent(await runRange(Number(first), Number(count), planted));
