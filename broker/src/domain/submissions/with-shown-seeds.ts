import type { Submission } from "@crowdai/shared";
import type { SubmissionRow } from "../../records/tables.ts";
import { areSeedsShown } from "../challenges/are-seeds-shown.ts";
import { replayedBy } from "../environments/replayed-session.ts";
import type { Needs } from "./services.ts";

/** Returns a submission with the seed of each episode that was played, once the seeds are shown. */
export async function withShownSeeds(
  { records, catalog, seedsOf }: Needs<"records" | "catalog" | "seedsOf">,
  submission: Submission,
  row: SubmissionRow,
): Promise<Submission> {
  const { environment } = submission;
  const config = catalog.all().get(row.challenge)?.config;
  if (!environment || !config || !(await areSeedsShown(records.db, row.challenge))) return submission;
  const seeds = seedsOf(config, { ...row, id: replayedBy(row)?.submission ?? row.id });
  if (!seeds) return submission;
  const episodes = environment.episodes.map((one) => ({ ...one, seed: seeds[one.episode - 1] }));
  return { ...submission, environment: { ...environment, episodes } };
}
