import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The slowest files, longest first: one that starts last lets all others wait for it. Vitest knows times from
 * the run before, which a fresh clone has none of. Those that mostly wait stand between those that keep a
 * processor busy.
 */
export const SLOWEST_FILES: readonly string[] = [
  "test/fleet/fleet",
  "test/uploads/uploads",
  "grader/src/box/oci/oci",
  "scripts/simulate/simulate",
  "broker/test/code/code-at-github",
  "broker/test/webapp/remote",
  "broker/src/domain/leaderboard/boards-postgres",
  "broker/test/code/publishing",
  "test/environment/killed-grader",
  "broker/test/code/hostile-push",
  "test/examples/examples",
  "broker/test/pages/submission-page",
  "broker/test/webapp/webapp-postgres",
  "broker/test/pages/challenge-page",
  "broker/test/code/code-at-gitlab",
  "broker/test/pages/media-page",
  "shared/src/objects/s3/s3-store",
  "grader/src/box/bubblewrap/bubblewrap",
  "broker/test/media/videos",
  "test/uploads/uploads-s3",
  "test/environment/hostile-code-agents",
  "broker/test/code/durability",
  "shared/src/queue/redis/faults",
  "scripts/chaos/points/stop-at-points",
  "scripts/chaos/missing-programs",
  "broker/test/webapp/remote-outcomes",
  "test/environments/agents",
  "test/environment/broken-connections",
  "shared/src/queue/redis/leases",
  "broker/src/background/code-hosts/code-host-failures",
  "grader/src/evaluators/process/batch",
  "grader/src/evaluators/process/persistent",
  "cli/src/snapshot/repository-states",
  "test/publishing/code-commands",
  "broker/test/legacy/calls",
  "broker/test/webapp/remote-contract",
  "cli/src/snapshot/unreadable",
  "scripts/bench/pages",
  "shared/src/queue/redis/recovery",
  "broker/src/domain/leaderboard/boards",
  "scripts/services/services",
  "cli/src/client/http/slow-answer",
];

/**
 * The projects, in their order. A process that finds a file of another project next in the queue ends, and
 * all that it has imported is imported again: so the files of a project stay together, and those that have
 * processes of their own come first. The quickest come last, when the other processes wait for the end.
 */
const PROJECTS = ["large", "suite", "unit"];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return inOrder(await super.sort(files));
  }
}

type File = Pick<TestSpecification, "moduleId"> & { project: { name: string } };

/** Returns the files of each project together, with its slowest first. */
export function inOrder<F extends File>(files: readonly F[]): F[] {
  const place = ({ moduleId }: F) => {
    const at = SLOWEST_FILES.findIndex((path) => moduleId.endsWith(`/${path}.test.ts`));
    return at === -1 ? SLOWEST_FILES.length : at;
  };
  const projectOf = ({ project }: F) => PROJECTS.indexOf(project.name);
  return files.toSorted((a, b) => projectOf(a) - projectOf(b) || place(a) - place(b));
}
