import type { Mutant } from "./instrument.ts";
import type { Result } from "./plan.ts";
import type { NamedSurvivor } from "./survivors.ts";

export interface Tally {
  mutants: number;
  killed: number;
  /** Of those killed: how many because a test took much longer than without them. */
  timeouts: number;
  named: number;
  /** Survivors without a reason. */
  unnamed: (Mutant & { reached: boolean })[];
  /** Reasons without a survivor. */
  outdated: NamedSurvivor[];
  /** Tests that fail without a mutant. */
  failures: string[];
}

/** Counts an area's mutants, and compares its survivors with the named ones. */
export function tally(
  mutants: readonly Mutant[],
  results: readonly Result[],
  survivors: readonly NamedSurvivor[],
): Tally {
  const status = new Map<string, Result["status"]>();
  for (const result of results) status.set(result.id, result.status);
  const failures = results.flatMap((result) => (result.status === "failed" ? [result.by] : []));
  const alive = mutants.filter(({ id }) => !isKilled(status.get(id)));
  const isNamed = (mutant: Mutant) => survivors.some((survivor) => isSame(survivor, mutant));
  const files = new Set(mutants.map(({ file }) => file));
  return {
    mutants: mutants.length,
    killed: mutants.length - alive.length,
    timeouts: mutants.filter(({ id }) => ["timeout", "started"].includes(status.get(id) ?? "")).length,
    named: alive.filter(isNamed).length,
    unnamed: alive
      .filter((mutant) => !isNamed(mutant))
      .map((mutant) => ({ ...mutant, reached: status.has(mutant.id) })),
    outdated: survivors.filter(
      (survivor) => files.has(survivor.file) && !alive.some((mutant) => isSame(survivor, mutant)),
    ),
    failures,
  };
}

/** A mutant with which the process ended or hung has been noticed too. */
function isKilled(status: Result["status"] | undefined): boolean {
  return status === "killed" || status === "timeout" || status === "started";
}

function isSame(survivor: NamedSurvivor, mutant: Mutant): boolean {
  return (
    survivor.file === mutant.file && survivor.source === mutant.source && survivor.change === mutant.change
  );
}
