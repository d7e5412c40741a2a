import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { type Boxes, needsBox } from "./boxes.ts";

/** The challenges that a grader has, and those of them that it can run now. */
export interface RunnableChallenges {
  folders(): ChallengeFolder[];
  bundled(): string[];
  /** Why it cannot run the others, by their id. */
  unable(): Record<string, string>;
  /** Called when a bundle turned out to need a box that this grader does not have. */
  refuseBundle(challenge: string): void;
}

export function runnableChallenges(options: {
  challenges: () => ReadonlyMap<string, ChallengeFolder>;
  bundled: () => Iterable<string>;
  boxes: Boxes;
}): RunnableChallenges {
  const { challenges, bundled, boxes } = options;
  const refusedBundles = new Set<string>();
  const inBoxes = () => [...challenges().values()].filter(needsBox).map(({ config }) => config.id);
  const refused = () => [...bundled()].filter((id) => refusedBundles.has(id));
  return {
    folders: () =>
      [...challenges().values()].filter((folder) => !needsBox(folder) || boxes.problem() === null),
    bundled: () => [...bundled()].filter((id) => !refusedBundles.has(id) || boxes.problem() === null),
    unable() {
      const ids = [...inBoxes(), ...refused()];
      const problem = ids.length > 0 ? boxes.problem() : null;
      return problem === null ? {} : Object.fromEntries(ids.map((id) => [id, problem]));
    },
    refuseBundle: (challenge) => void refusedBundles.add(challenge),
  };
}
