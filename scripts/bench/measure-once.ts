// Measures one group of figures and sends them to the bench that started it.
//
//   node scripts/bench/measure-once.ts <group>
import { MissingProgramError } from "../services/programs.ts";
import { exitWhenInterrupted } from "./cleanup.ts";
import { MEASURES } from "./measures.ts";

/**
 * The exit code where a program is missing: nothing was measured, and one sentence on stderr says what to
 * install.
 */
export const PROGRAM_MISSING = 2;

if (import.meta.main) {
  exitWhenInterrupted();
  const measure = MEASURES[process.argv[2] ?? ""];
  if (measure === undefined || process.send === undefined) throw new Error("start this with `npm run bench`");
  try {
    for await (const figure of await measure()) process.send(figure);
  } catch (error) {
    if (!(error instanceof MissingProgramError)) throw error;
    console.error(error.message);
    process.exitCode = PROGRAM_MISSING;
  }
  process.disconnect?.();
}
