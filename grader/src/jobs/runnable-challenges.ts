import type { Job } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { type Boxes, needsBox, sessionNeedsBox } from "./boxes.ts";

/** The challenges that a grader has, and those of them that it can run now. */
export interface RunnableChallenges {
  /** The folder to run a job with. */
  folderOf(job: Job): ChallengeFolder | undefined;
  /** Ids of the challenges of which it can run every job. */
  challenges(): string[];
  /** Ids of the others of which it can run sessions, which need no box although submitted code does. */
  sessions(): string[];
  /** Why it cannot run all jobs of the others, by their id. */
  unable(): Record<string, string>;
  /**
   * Called when a bundle turned out to need a box that this grader does not have. Another bundle of the
   * challenge may not need one.
   */
  refuseBundle(job: Pick<Job, "challenge" | "input">, folder: ChallengeFolder): void;
}

export function runnableChallenges(options: {
  challenges: () => ReadonlyMap<string, ChallengeFolder>;
  bundled: () => ReadonlyMap<string, string>;
  boxes: Boxes;
}): RunnableChallenges {
  const { challenges, bundled, boxes } = options;
  /** The bundles of refused challenges, and of those whose sessions are refused too. */
  const refusedBundles = new Map<string, string>();
  const refusedSessions = new Map<string, string>();
  const idOf = ({ config }: ChallengeFolder) => config.id;
  const folders = () => [...challenges().values()];
  const refused = () =>
    [...bundled()].filter(([id, versions]) => refusedBundles.get(id) === versions).map(([id]) => id);
  const inBoxes = () => [...folders().filter(needsBox).map(idOf), ...refused()];
  /** Asked only where a box is needed, because that starts the test of the boxes. */
  const problemOf = (ids: readonly string[]) => (ids.length > 0 ? boxes.problem() : null);
  const hasSessions = (folder: ChallengeFolder) =>
    folder.config.environment?.agents.includes("remote") === true && !sessionNeedsBox(folder);

  function runnable(): string[] {
    const isAny = problemOf(inBoxes()) === null;
    const ofFolders = folders().filter((folder) => isAny || !needsBox(folder));
    const ofBundles = [...bundled().keys()].filter((id) => isAny || !refused().includes(id));
    return [...new Set([...ofFolders.map(idOf), ...ofBundles])];
  }

  return {
    folderOf({ challenge, input }) {
      const folder = challenges().get(challenge);
      const isBoxed = folder && (input.kind === "session" ? sessionNeedsBox : needsBox)(folder);
      return isBoxed && boxes.problem() !== null ? undefined : folder;
    },
    challenges: runnable,
    sessions() {
      if (problemOf(inBoxes()) === null) return [];
      const ofFolders = folders().filter(hasSessions).map(idOf);
      const ofBundles = refused().filter((id) => refusedSessions.get(id) !== bundled().get(id));
      const whole = runnable();
      return [...new Set([...ofFolders, ...ofBundles])].filter((id) => !whole.includes(id));
    },
    unable() {
      const ids = inBoxes();
      const problem = problemOf(ids);
      return problem === null ? {} : Object.fromEntries(ids.map((id) => [id, problem]));
    },
    refuseBundle({ challenge, input }, folder) {
      const versions = bundled().get(challenge) ?? "";
      refusedBundles.set(challenge, versions);
      if (input.kind === "session" || !hasSessions(folder)) refusedSessions.set(challenge, versions);
    },
  };
}
