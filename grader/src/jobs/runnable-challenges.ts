import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { type Boxes, needsBox } from "./boxes.ts";

/** The challenges that a grader has, and those of them that it can run now. */
export interface RunnableChallenges {
  folders(): ChallengeFolder[];
  bundled(): string[];
  /** Why it cannot run the others, by their id. */
  unable(): Record<string, string>;
  /**
   * Called when a bundle turned out to need a box that this grader does not have. Another bundle of the challenge may not need one.
   */
  refuseBundle(challenge: string): void;
}

export function runnableChallenges(options: {
  challenges: () => ReadonlyMap<string, ChallengeFolder>;
  bundled: () => ReadonlyMap<string, string>;
  boxes: Boxes;
}): RunnableChallenges {
  const { challenges, bundled, boxes } = options;
  const refusedBundles = new Map<string, string>();
  const inBoxes = () => [...challenges().values()].filter(needsBox).map(({ config }) => config.id);
  const isRefused = ([id, versions]: [string, string]) => refusedBundles.get(id) === versions;
  const idOf = ([id]: [string, string]) => id;
  const refused = () => [...bundled()].filter(isRefused).map(idOf);
  return {
    folders: () =>
      [...challenges().values()].filter((folder) => !needsBox(folder) || boxes.problem() === null),
    bundled: () => [...bundled()].filter((one) => !isRefused(one) || boxes.problem() === null).map(idOf),
    unable() {
      const ids = [...inBoxes(), ...refused()];
      const problem = ids.length > 0 ? boxes.problem() : null;
      return problem === null ? {} : Object.fromEntries(ids.map((id) => [id, problem]));
    },
    refuseBundle: (challenge) => void refusedBundles.set(challenge, bundled().get(challenge) ?? ""),
  };
}
