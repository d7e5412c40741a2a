import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, loadChallenges } from "@crowdai/shared/challenge-folder";

/** The challenges under a folder that are to be served, by id. Throws config_invalid with every mistake at once. */
export async function servedChallenges(
  dir: string,
  only: readonly string[] | null,
): Promise<ReadonlyMap<string, ChallengeFolder>> {
  const { challenges, mistakes } = await loadChallenges(dir);
  const messages = mistakes.map(({ message }) => message);
  for (const id of only ?? [])
    if (!challenges.some(({ config }) => config.id === id))
      messages.push(`--only names ${id}, which ${dir} does not have.`);
  if (messages.length === 0 && challenges.length === 0) messages.push(`There is no challenge under ${dir}.`);
  if (messages.length > 0)
    throw new CrowdaiError("config_invalid", messages.join("\n"), { details: { mistakes: messages } });
  return new Map(
    challenges
      .filter(({ config }) => !only || only.includes(config.id))
      .map((folder) => [folder.config.id, folder]),
  );
}
