import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SeededRandom } from "./seeded-random.ts";

/** The expected outcome of an input. */
export type Expected = { score: number } | { rejected: true };

/** One submission to make. */
export interface PlannedSubmission {
  id: string;
  challenge: string;
  participant: number;
  input: { value: unknown } | { file: string };
  /** Inputs with one name are equal, so their verdicts must be. */
  name: string;
  /** Null where it is unknown: equal inputs must then have equal verdicts. */
  expected: Expected | null;
  /** Milliseconds from the first submission on. */
  at: number;
  /**
   * `twice`: sent through two sessions at once. `leave`: the client goes away after the acknowledgement, and
   * looks later.
   */
  manner: "stay" | "twice" | "leave";
}

export interface Sample {
  challenge: string;
  name: string;
  input: PlannedSubmission["input"];
  expected: Expected | null;
}

/**
 * Plans the submissions of a run, spread evenly at random over its time. Ids contain the seed, which
 * distinguishes runs.
 */
export function planSubmissions(
  random: SeededRandom,
  {
    seed,
    count,
    participants,
    ms,
    sample,
  }: { seed: number; count: number; participants: number; ms: number; sample: (index: number) => Sample },
): PlannedSubmission[] {
  return Array.from({ length: count }, (_, index) => ({
    ...sample(index),
    id: `chaos-${seed}-${String(index).padStart(6, "0")}`,
    participant: random.between(0, participants),
    at: random.between(0, ms),
    manner: random.happens(0.1)
      ? ("twice" as const)
      : random.happens(0.1)
        ? ("leave" as const)
        : ("stay" as const),
  })).sort((a, b) => a.at - b.at);
}

/**
 * Inputs for the challenge of our own: mostly quick, some slow, some refused, some with progress, some as
 * files.
 */
export function generateSamples(
  random: SeededRandom,
  folder: string,
  files: boolean,
): { sample: (index: number) => Sample; write: () => Promise<void> } {
  const written: [path: string, text: string][] = [];
  return {
    sample(index) {
      const rejected = random.happens(0.1);
      const score = random.between(0, 1_000_000) / 1_000_000;
      const value = {
        score,
        seconds: random.happens(0.03) ? 2 + random.next() * 3 : random.next() ** 3 * 0.4,
        steps: random.happens(0.3) ? random.between(1, 5) : 0,
        ...(rejected ? { reject: `row ${index}: unknown id` } : {}),
      };
      const path = join(folder, `${index}.json`);
      const asFile = files && random.happens(0.3);
      if (asFile) written.push([path, JSON.stringify(value)]);
      return {
        challenge: "chaos",
        name: String(index),
        input: asFile ? { file: path } : { value },
        expected: rejected ? { rejected: true } : { score },
      };
    },
    async write() {
      for (const [path, text] of written) await writeFile(path, text);
    },
  };
}
