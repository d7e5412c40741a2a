import type { Confinement } from "./confinement.ts";
import { openControlGroups } from "./control-groups.ts";
import { openSubreaper, processTrees } from "./subreaper.ts";

/** Returns the strongest confinement that this machine offers. */
export async function findConfinement(path: string): Promise<Confinement> {
  return (await openControlGroups()) ?? (await openSubreaper(path)) ?? processTrees;
}
