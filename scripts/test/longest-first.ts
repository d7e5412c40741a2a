import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The slowest files, longest first: one that starts last lets all others wait for it. Vitest knows times from the run before, which a
 * fresh clone has none of. Those that mostly wait stand between those that keep a processor busy.
 */
export const SLOWEST_FILES: readonly string[] = [
  "broker/test/code/code-at-github",
  "test/fleet/fleet",
  "test/uploads/uploads",
  "broker/test/code/hostile-push",
  "broker/test/webapp/remote",
  "grader/src/box/bubblewrap/bubblewrap",
  "cli/src/snapshot/repository-states",
  "broker/test/pages/challenge-page",
  "broker/test/pages/submission-page",
  "broker/test/code/code-at-gitlab",
  "broker/test/pages/media-page",
  "shared/src/queue/redis/leases",
  "grader/src/box/oci/oci",
  "broker/test/code/publishing",
  "broker/test/code/durability",
  "shared/src/queue/redis/faults",
  "scripts/bench/pages",
  "test/examples/examples",
  "broker/test/media/videos",
  "broker/src/background/code-hosts/code-host-failures",
  "broker/src/domain/leaderboard/boards",
  "broker/test/webapp/webapp-postgres",
  "broker/test/webapp/remote-contract",
  "grader/src/evaluators/process/batch",
  "grader/src/evaluators/process/persistent",
  "shared/src/queue/redis/recovery",
  "cli/src/snapshot/unreadable",
  "broker/test/legacy/calls",
  "test/publishing/code-commands",
  "scripts/services/services",
  "cli/src/client/http/slow-answer",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = SLOWEST_FILES.findIndex((path) => moduleId.endsWith(`/${path}.test.ts`));
      return at === -1 ? SLOWEST_FILES.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
