import { CrowdaiError, quoted, suggest } from "@crowdai/shared";
import {
  type ChallengeConfig,
  type ChallengeFolder,
  loadChallenges,
  type PublicFile,
} from "@crowdai/shared/challenge-folder";
import type { Records } from "../../records/records.ts";
import { fingerprint } from "./fingerprint.ts";
import {
  currentVersions,
  readRecorded,
  type StoredBundle,
  type StoredPublicFile,
} from "./recorded-challenges.ts";

/** A challenge that this broker serves, from a local folder or from an added bundle. */
export interface ServedChallenge {
  config: ChallengeConfig;
  version: string;
  /** Files that participants may download, by name. */
  data: readonly (PublicFile | StoredPublicFile)[];
  /** The bundle that graders use; null means their own folders. */
  bundle: StoredBundle | null;
}

export interface Refreshed {
  /** Ids of challenges that are new or have a new version. */
  changed: string[];
  mistakes: CrowdaiError[];
  /**
   * Ids that have both a local folder and a bundle; the folder is served. Reported once, when both appear.
   */
  shadowed: string[];
}

/** The challenges that this broker serves, from folders and from the records. */
export interface Catalog {
  all(): ReadonlyMap<string, ServedChallenge>;
  /**
   * Returns the error for a challenge that does not exist, with a suggestion when a public id is similar. A
   * private challenge is refused with the same, so that nothing reveals that it exists.
   */
  unknown(id: string): CrowdaiError;
  /** Throws challenge_unknown: see unknown. */
  get(id: string): ServedChallenge;
  /** Challenges that come from local folders. */
  folders(): ReadonlyMap<string, ChallengeFolder>;
  /**
   * Reloads what changed. A challenge with errors keeps its earlier version, and is reloaded until the errors
   * are gone. Errors are returned when they are new.
   */
  refresh(): Promise<Refreshed>;
}

/**
 * Loads every challenge from the folder and from the records. Throws config_invalid with the errors of all
 * folders.
 */
export async function openCatalog(folder: string, { db }: Pick<Records, "db">): Promise<Catalog> {
  let folders: ReadonlyMap<string, ChallengeFolder> = new Map();
  let recorded: ReadonlyMap<string, ServedChallenge> = new Map();
  let challenges: ReadonlyMap<string, ServedChallenge> = new Map();
  let seen: string | null = null;
  let problems: readonly CrowdaiError[] = [];
  let shadowed: string[] = [];

  async function refreshFolders(): Promise<readonly CrowdaiError[]> {
    const now = await fingerprint(folder);
    // A problem may concern something outside the folder, such as the target of a link.
    if (now === seen && problems.length === 0) return [];
    const loaded = await loadChallenges(folder);
    const before = problems.map(({ message }) => message).join("\n");
    seen = now;
    problems = loaded.problems;
    const next = new Map(loaded.challenges.map((challenge) => [challenge.config.id, challenge]));
    // A folder with an error keeps serving its last valid version.
    if (loaded.problems.length > 0) for (const [id, kept] of folders) if (!next.has(id)) next.set(id, kept);
    folders = next;
    return problems.map(({ message }) => message).join("\n") === before ? [] : problems;
  }

  async function refreshRecorded(): Promise<CrowdaiError[]> {
    const next = new Map<string, ServedChallenge>();
    const mistakes: CrowdaiError[] = [];
    for (const [id, version] of await currentVersions(db)) {
      const before = recorded.get(id);
      try {
        const found = before?.version === version ? before : await readRecorded(db, id);
        if (found) next.set(id, found);
      } catch (error) {
        if (!(error instanceof CrowdaiError)) throw error;
        mistakes.push(error);
        if (before) next.set(id, before);
      }
    }
    recorded = next;
    return mistakes;
  }

  async function refresh(): Promise<Refreshed> {
    const mistakes = [...(await refreshFolders()), ...(await refreshRecorded())];
    const next = new Map<string, ServedChallenge>(recorded);
    for (const [id, challenge] of folders) next.set(id, { ...challenge, bundle: null });
    const changed = [...next.keys()].filter((id) => challenges.get(id)?.version !== next.get(id)?.version);
    challenges = next;
    const before = shadowed;
    shadowed = [...folders.keys()].filter((id) => recorded.has(id));
    return { changed, mistakes, shadowed: shadowed.filter((id) => !before.includes(id)) };
  }

  function unknown(id: string): CrowdaiError {
    const open = [...challenges.values()].filter(({ config }) => !config.visibility.private);
    const suggestion = suggest(
      id,
      open.map(({ config }) => config.id).filter((known) => known !== id),
    );
    return new CrowdaiError(
      "challenge_unknown",
      `There is no challenge ${quoted(id)}${suggestion ? `; did you mean "${suggestion}"?` : "."}`,
      suggestion ? { details: { suggestion } } : {},
    );
  }

  const { mistakes } = await refresh();
  shadowed = [];
  if (mistakes.length > 0)
    throw new CrowdaiError("config_invalid", mistakes.map((mistake) => mistake.message).join("\n"), {
      next: mistakes.length === 1 ? mistakes[0]?.next : undefined,
      details: { mistakes: mistakes.flatMap((mistake) => mistake.details?.mistakes ?? []) },
    });

  return {
    all: () => challenges,
    folders: () => folders,
    get(id) {
      const found = challenges.get(id);
      if (found) return found;
      throw unknown(id);
    },
    unknown,
    refresh,
  };
}
