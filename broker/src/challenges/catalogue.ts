import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, quoted, suggest } from "@crowdai/shared";
import { type ChallengeFolder, loadChallenges } from "@crowdai/shared/challenge-folder";

/** The challenges this broker serves, as their folders say. */
export interface Catalogue {
  all(): ReadonlyMap<string, ChallengeFolder>;
  /** Throws challenge_unknown, with a suggestion when a known id looks alike. */
  get(id: string): ChallengeFolder;
  /** Reads the folder again if anything in it changed; mistakes leave the earlier version in place and are returned. */
  refresh(): Promise<{ changed: string[]; mistakes: CrowdaiError[] }>;
}

/** Loads every challenge of the folder. Throws config_invalid with the mistakes of all of them. */
export async function openCatalogue(folder: string): Promise<Catalogue> {
  let challenges: ReadonlyMap<string, ChallengeFolder> = new Map();
  let seen = await fingerprint(folder);
  const first = await loadChallenges(folder);
  if (first.mistakes.length > 0)
    throw new CrowdaiError("config_invalid", first.mistakes.map((mistake) => mistake.message).join("\n"), {
      details: { mistakes: first.mistakes.flatMap((mistake) => mistake.details?.mistakes ?? []) },
    });
  challenges = byId(first.challenges);

  return {
    all: () => challenges,
    get(id) {
      const found = challenges.get(id);
      if (found) return found;
      const suggestion = suggest(id, [...challenges.keys()]);
      throw new CrowdaiError(
        "challenge_unknown",
        `There is no challenge ${quoted(id)}${suggestion ? `; did you mean "${suggestion}"?` : "."}`,
        suggestion ? { details: { suggestion } } : {},
      );
    },
    async refresh() {
      const now = await fingerprint(folder);
      if (now === seen) return { changed: [], mistakes: [] };
      const { challenges: loaded, mistakes } = await loadChallenges(folder);
      seen = now;
      const next = byId(loaded);
      // A folder with a mistake in it keeps serving its last good version.
      if (mistakes.length > 0) for (const [id, kept] of challenges) if (!next.has(id)) next.set(id, kept);
      const changed = [...next]
        .filter(([id, { version }]) => challenges.get(id)?.version !== version)
        .map(([id]) => id);
      challenges = next;
      return { changed, mistakes };
    },
  };
}

const byId = (list: ChallengeFolder[]) => new Map(list.map((challenge) => [challenge.config.id, challenge]));

/** Changes whenever a file below the folder does, by size or time of change: cheap enough to take every few seconds. */
async function fingerprint(folder: string): Promise<string> {
  const parts: string[] = [];
  // Links are not followed: one to / would be the whole disk.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) parts.push(await fingerprint(path));
    const found = entry.isFile() ? await stat(path).catch(() => null) : null;
    if (found) parts.push(`${path}:${found.size}:${found.mtimeMs}`);
  }
  return parts.sort().join("\n");
}
