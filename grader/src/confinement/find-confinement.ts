import type { Confinement } from "./confinement.ts";
import { type ControlGroups, confinementIn, findControlGroups } from "./control-groups.ts";
import { openSubreaper, processTrees } from "./subreaper.ts";

/** Returns the strongest confinement that this machine offers. */
export async function findConfinement(path: string, groups?: ControlGroups | null): Promise<Confinement> {
  const found = groups === undefined ? await findControlGroups() : groups;
  return (found && confinementIn(found)) ?? (await openSubreaper(path)) ?? processTrees;
}
