import { rmSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { createDisk, type Mercy } from "./disk.ts";
import { readTrace, type Step } from "./trace.ts";

const MERCIES: readonly Mercy[] = ["nothing", "nothing", "some", "some", "all"];

export interface CutFinding {
  /** Number of the step after which the power was cut. */
  step: number;
  mercy: Mercy;
  lost: readonly string[];
}

/** Reads a recording, and cuts the power after so many of its steps. Returns the cuts that lost something. */
export async function cutRepeatedly(options: {
  trace: string;
  folder: string;
  cuts: number;
  random: SeededRandom;
  /** A folder for what a cut leaves. */
  scratch: string;
  check(folder: string, time: number): Promise<string[]>;
  /** One of them is picked for each cut. */
  mercies?: readonly Mercy[];
  /** Steps that did not happen, to see that the check finds it. */
  omit?: (step: Step) => boolean;
}): Promise<{ steps: number; cuts: number; found: CutFinding[] }> {
  const { trace, folder, random, scratch, check, omit = () => false, mercies = MERCIES } = options;
  const steps: Step[] = [];
  for await (const step of readTrace(trace, folder)) if (!omit(step)) steps.push(step);
  const moments = new Set([steps.length - 1]);
  while (moments.size < Math.min(options.cuts, steps.length)) moments.add(random.between(0, steps.length));
  const disk = createDisk(folder);
  const found: CutFinding[] = [];
  const left = join(scratch, "left");
  for (const [number, step] of steps.entries()) {
    disk.apply(step);
    if (!moments.has(number)) continue;
    const mercy = random.pick(mercies);
    disk.cut(left, random, mercy);
    const lost = await check(left, step.time);
    rmSync(left, { recursive: true, force: true });
    if (lost.length > 0) found.push({ step: number, mercy, lost });
  }
  return { steps: steps.length, cuts: moments.size, found };
}
