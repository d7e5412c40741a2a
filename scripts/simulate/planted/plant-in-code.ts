import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Edit, FOUND_BY_SIMULATION, FOUND_IN_SESSIONS } from "./edits.ts";
import type { PlantedFault } from "./planted-fault.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Which fault is planted now. */
declare global {
  var plantedFault: string | undefined;
}

/**
 * Makes the faults in code plantable in modules that are imported from now on: each expression becomes a
 * choice between what it was and what the fault makes of it.
 */
export function makePlantable(): void {
  const byUrl = new Map<string, (Edit & { name: string })[]>();
  for (const [name, { edits }] of Object.entries({ ...FOUND_BY_SIMULATION, ...FOUND_IN_SESSIONS }))
    for (const edit of edits) {
      const url = pathToFileURL(join(ROOT, edit.file)).href;
      byUrl.set(url, [...(byUrl.get(url) ?? []), { ...edit, name }]);
    }
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const edits = byUrl.get(url);
      if (!edits) return loaded;
      let source = String(loaded.source);
      for (const { name, find, instead } of edits)
        source = replaceOnce(
          source,
          find,
          `(globalThis.plantedFault === ${JSON.stringify(name)} ? ${instead} : ${find})`,
        );
      return { ...loaded, source };
    },
  });
}

/** Replaces an expression. Throws when it does not occur, or more than once. */
export function replaceOnce(source: string, find: string, instead: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${JSON.stringify(find)} occurs ${parts.length - 1} times`);
  return parts.join(instead);
}

/** The faults in code, once they are plantable. */
export const faultsInCode: Record<string, PlantedFault> = Object.fromEntries(
  Object.keys({ ...FOUND_BY_SIMULATION, ...FOUND_IN_SESSIONS }).map((name) => [
    name,
    {
      plant() {
        globalThis.plantedFault = name;
      },
      remove() {
        globalThis.plantedFault = undefined;
      },
    },
  ]),
);
