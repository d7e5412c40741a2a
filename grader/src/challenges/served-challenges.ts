import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, loadChallenges } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { storedBundles } from "./stored-bundles.ts";

/** The challenges that a separate grader serves: those in its folder, and those added as bundles. */
export interface ServedChallenges {
  folders(): ReadonlyMap<string, ChallengeFolder>;
  /** Ids of the challenges that have bundles, with the versions of these. */
  bundled(): ReadonlyMap<string, string>;
  /**
   * Re-reads folder and store. An invalid challenge keeps its last valid state. Returns errors that are new.
   */
  refresh(): Promise<CrowdaiError[]>;
}

/**
 * Loads the challenges to serve. Throws config_invalid with all errors at once, including ids of `only` that
 * do not exist and, when the folder was given explicitly (`required`), a folder without any challenge.
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

  const { challenges, problems } = await loadChallenges(dir);
  let bundled = await storedBundles(objects);
  const messages = problems.map(({ message }) => message);
  for (const id of only ?? [])
    if (!bundled.has(id) && !challenges.some(({ config }) => config.id === id))
      messages.push(`--only names ${id}, which is neither in ${dir} nor added as a bundle.`);
  if (messages.length === 0 && challenges.length === 0 && bundled.size === 0 && required)
    messages.push(`No challenge found in ${dir}, and none was added as a bundle.`);
  if (messages.length > 0)
    throw new CrowdaiError("config_invalid", messages.join("\n"), {
      // Without a problem in a folder, the options name the wrong one.
      next: problems.length === 0 ? "Correct --challenges or --only." : undefined,
      details: { mistakes: messages },
    });

  let folders = foldersOf(challenges);
  let lastReported = "";
  return {
    folders: () => folders,
    bundled: () => new Map([...bundled].filter(([id]) => isWanted(id))),
    async refresh() {
      const now = await loadChallenges(dir);
      const next = foldersOf(now.challenges);
      if (now.problems.length > 0)
        for (const [id, previous] of folders) if (!next.has(id)) next.set(id, previous);
      folders = next;
      bundled = await storedBundles(objects);
      const reported = now.problems.map(({ message }) => message).join("\n");
      const isNew = reported !== lastReported;
      lastReported = reported;
      return isNew ? now.problems : [];
    },
  };
}
