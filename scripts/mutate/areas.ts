import { globSync } from "node:fs";
import { root } from "../lib/root.ts";

/** Source files that are mutated together, and the tests that have to notice. Quick tests come first. */
export interface Area {
  about: string;
  files: readonly string[];
  tests: readonly string[];
}

export const AREAS: Readonly<Record<string, Area>> = {
  addresses: {
    about: "signed addresses of objects, and the ranges of bytes they are asked for",
    files: ["shared/src/objects/{signed-url,byte-range}.ts"],
    tests: ["shared/src/objects/{signed-url,byte-range}.test.ts"],
  },
  rules: {
    about: "slots, limits, rounds, qualification, and who sees what",
    files: [
      "broker/src/domain/rules/{limits,qualification,trials,target-round,visibility,is-invited,is-public}.ts",
    ],
    tests: ["broker/src/domain/rules/{target-round,is-public,limits,visibility}.test.ts"],
  },
  referee: {
    about: "the referee of environments: episodes, clocks, actions",
    files: ["grader/src/environment/{referee,check-action,deadline}.ts"],
    tests: ["grader/src/environment/{check-action,deadline,referee}.test.ts"],
  },
};

/** Paths below the root that some patterns match, in the order of the patterns. */
export function matchingFiles(patterns: readonly string[]): string[] {
  const files = patterns.flatMap((pattern) => {
    const matches = globSync(pattern, { cwd: root }).sort();
    if (matches.length === 0) throw new Error(`No file matches ${pattern}: correct scripts/mutate/areas.ts`);
    return matches;
  });
  return [...new Set(files)];
}
