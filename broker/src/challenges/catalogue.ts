import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, loadChallenges } from "@crowdai/shared/challenge-folder";
import { closest, distance } from "fastest-levenshtein";

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
        `There is no challenge "${id.slice(0, 100)}"${suggestion ? `; did you mean "${suggestion}"?` : "."}`,
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

/** The known word that `word` most likely meant, or null when none is near. */
export function suggest(word: string, known: string[]): string | null {
  if (known.length === 0 || word.length > 200) return null;
  const near = closest(word.toLowerCase(), known);
  return distance(word.toLowerCase(), near.toLowerCase()) <= Math.max(2, Math.floor(near.length / 3))
    ? near
    : null;
}

const byId = (list: ChallengeFolder[]) => new Map(list.map((challenge) => [challenge.config.id, challenge]));

/** Changes whenever a file below the folder does, by size or time of change: cheap enough to take every few seconds. */
async function fingerprint(folder: string): Promise<string> {
  const parts: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const found = await stat(path).catch(() => null);
    if (found) parts.push(`${path}:${found.size}:${found.mtimeMs}`);
  }
  return parts.sort().join("\n");
}
