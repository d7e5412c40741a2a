// Runs the schedules of a range of seeds, and sends what was found to `npm run simulate`, which started it.
//
//   node scripts/simulate/range.ts <first seed> <count> [planted fault]
import type { RangeResult } from "./run-range.ts";

const [first, count, planted] = process.argv.slice(2);
// Before anything of the product is imported.
if (planted !== undefined) (await import("./planted/plant-in-code.ts")).makePlantable();
const { runRange } = await import("./run-range.ts");
const result: RangeResult = await runRange(Number(first), Number(count), planted);
// Not before the message is on its way: a long trace takes several writes.
process.send?.(result, () => process.disconnect?.());
