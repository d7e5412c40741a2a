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
  submissions: {
    about: "the life of a submission: intents, slots, reports, outcomes, cancellations, deadlines",
    files: [
      "broker/src/domain/submissions/{apply-report,cancel-submission,deadlines,dispatcher,events}.ts",
      "broker/src/domain/submissions/{insert-submission,register-intent,sweep-deadlines,write-outcome}.ts",
    ],
    tests: ["scripts/mutate/schedules.ts"],
  },
  queue: {
    about: "the queue of one process, fairness, and what brokers and graders do with reports",
    files: [
      "shared/src/queue/{embedded-queue,embedded-reports,fair-queue,challenge-queues,start-reports}.ts",
      "shared/src/queue/redis/{redis-url,report-applier}.ts",
    ],
    tests: [
      "shared/src/queue/start-reports.test.ts",
      "shared/src/queue/redis/{redis-url,report-applier}.test.ts",
      "shared/src/queue/embedded-queue.test.ts",
    ],
  },
  referee: {
    about: "the referee of environments: episodes, clocks, actions",
    files: ["grader/src/environment/{referee,check-action,deadline}.ts"],
    tests: ["grader/src/environment/{check-action,deadline,referee}.test.ts"],
  },
  records: {
    about: "commits together, and the statements of SQLite",
    files: ["broker/src/records/{group-commit,statement,commit,sqlite,sqlite-dialect}.ts"],
    tests: ["broker/src/records/{statement,group-commit,sqlite}.test.ts"],
  },
  protocol: {
    about: "schemas of what crosses a process boundary, and the checks of values, numbers and names",
    files: [
      "shared/src/protocol/{api-key,check-value,crc32,errors,exact-json,file-name,intent,job,json-syntax}.ts",
      "shared/src/protocol/{json-value,marked-numbers,number-text,obeyed-name,plain-text,round-score}.ts",
      "shared/src/protocol/{rounded-numbers,submission,submission-id,suggest,unique-items,upload-parts}.ts",
    ],
    tests: ["shared/src/protocol/*.test.ts"],
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
