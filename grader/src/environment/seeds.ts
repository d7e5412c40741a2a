import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type Job } from "@crowdai/shared";
import {
  type ChallengeFolder,
  type EnvironmentConfig,
  seedListSchema,
} from "@crowdai/shared/challenge-folder";

/** Returns the seeds of a session: those that the broker drew, or those of the challenge's private file. */
export async function seedsOf(
  job: Pick<Job, "seeds">,
  folder: ChallengeFolder,
  { seeds }: EnvironmentConfig,
): Promise<readonly number[]> {
  if (!("file" in seeds)) {
    if (job.seeds && job.seeds.length > 0) return job.seeds;
    throw new CrowdaiError("unexpected", "The job of an environment has no seeds.");
  }
  // Checked when the folder was loaded.
  return seedListSchema.parse(JSON.parse(await readFile(join(folder.dir, seeds.file), "utf8")));
}
