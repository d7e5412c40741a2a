import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, loadChallenges } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { storedBundles } from "./stored-bundles.ts";

/** The challenges a grader of its own serves: those of its folder, and those that were added as bundles. */
export interface ServedChallenges {
  folders(): ReadonlyMap<string, ChallengeFolder>;
  /** Ids of the challenges that have a bundle. */
  bundled(): Iterable<string>;
  /** Reads folder and store again. What has a mistake stays as it was, and mistakes are returned when they are new. */
  refresh(): Promise<CrowdaiError[]>;
}

/**
 * Loads what is to be served. Throws config_invalid with every mistake at once, an id of `only` that is nowhere among them; and,
 * where the folder was named by hand (`required`), that there is nothing at all.
 */
export async function servedChallenges(options: {
  dir: string;
  only: readonly string[] | null;
  required: boolean;
  objects: Pick<ObjectStore, "list">;
}): Promise<ServedChallenges> {
  const { dir, only, required, objects } = options;
  const isWanted = (id: string) => !only || only.includes(id);
  const foldersOf = (challenges: ChallengeFolder[]) =>
    new Map(
      challenges
        .filter(({ config }) => isWanted(config.id))
        .map((folder) => [folder.config.id, folder] as const),
    );

  const { challenges, mistakes } = await loadChallenges(dir);
  let bundled = await storedBundles(objects);
  const messages = mistakes.map(({ message }) => message);
  for (const id of only ?? [])
    if (!bundled.has(id) && !challenges.some(({ config }) => config.id === id))
      messages.push(`--only names ${id}, which ${dir} does not have, and which was not added as a bundle.`);
  if (messages.length === 0 && challenges.length === 0 && bundled.size === 0 && required)
    messages.push(`There is no challenge under ${dir}, and none was added as a bundle.`);
  if (messages.length > 0)
    throw new CrowdaiError("config_invalid", messages.join("\n"), { details: { mistakes: messages } });

  let folders = foldersOf(challenges);
  let lastReported = "";
  return {
    folders: () => folders,
    bundled: () => [...bundled].filter(isWanted),
    async refresh() {
      const now = await loadChallenges(dir);
      const next = foldersOf(now.challenges);
      if (now.mistakes.length > 0)
        for (const [id, previous] of folders) if (!next.has(id)) next.set(id, previous);
      folders = next;
      bundled = await storedBundles(objects);
      const reported = now.mistakes.map(({ message }) => message).join("\n");
      const isNew = reported !== lastReported;
      lastReported = reported;
      return isNew ? now.mistakes : [];
    },
  };
}
