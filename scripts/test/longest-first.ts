import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes longest, longest first. Vitest knows times from the run before, which a fresh clone has none of, and one that
 * starts last lets all others wait for it.
 */
const LONGEST = [
  "test/fleet/fleet",
  "shared/src/queue/redis/reports",
  "test/uploads/uploads",
  "broker/test/code/publishing",
  "broker/test/pages/submission-page",
  "broker/test/pages/challenge-page",
  "broker/test/webapp/remote",
  "broker/src/code-host/host-faults",
  "shared/src/objects/s3/s3-store",
  "broker/src/leaderboard/boards",
  "broker/test/media/films",
  "broker/test/code/code-at-github",
  "broker/test/code/code-at-gitlab",
  "broker/test/code/rules",
  "broker/test/webapp/postgres",
  "broker/test/regrade",
  "broker/test/code/durability",
  "scripts/services/services",
  "shared/src/queue/redis/leases",
  "cli/src/commands/submit-code",
  "grader/src/evaluator/persistent",
  "broker/test/code/crash",
  "broker/test/code/hostile",
  "broker/test/media/pictures",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(`/${path}.test.ts`));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
