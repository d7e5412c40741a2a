import { setTimeout as sleep } from "node:timers/promises";
import { Challenge } from "../../cli/src/index.ts";
import type { Fleet } from "./fleet.ts";

/** Longer than another grader needs to take over the job of a frozen one, which has ended meanwhile. */
const JOB_SECONDS = 10;
/** After this time within the second run, the first has certainly ended. */
const THAW_AFTER_MS = 4000;

/**
 * Freezes the grader of a long job until another grader runs it, and thaws it before that one is done, so
 * that its report comes too late. Random faults hardly ever do this. Returns whether it came to that.
 */
export async function provokeLateReport(options: {
  fleet: Pick<Fleet, "grader" | "brokerUrls">;
  apiKey: string;
  signal: AbortSignal;
}): Promise<boolean> {
  const { fleet, apiKey, signal } = options;
  let frozen: Fleet["grader"][number] | undefined;
  try {
    const session = await Challenge.open("chaos", { apiKey, broker: fleet.brokerUrls[0]!, signal });
    const input = { score: 0.5, seconds: JOB_SECONDS };
    const { id } = await session.submitValue(input, { wait: false });
    for await (const { type, data } of session.watch(id)) {
      if (type !== "grading") continue;
      if (frozen) {
        await sleep(THAW_AFTER_MS, undefined, { signal });
        await frozen.kill("SIGCONT");
        await session.wait(id);
        await session.close();
        return true;
      }
      frozen = fleet.grader.find(({ pid }) => String(data.grader).endsWith(`-${pid}`));
      await frozen?.kill("SIGSTOP");
    }
  } catch (error) {
    if (!signal.aborted) console.log(`  no late report: ${error}`);
  }
  await frozen?.kill("SIGCONT");
  return false;
}
