import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { repositoryPath } from "../../domain/submissions/repository-name.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { CodeHost } from "../code-hosts/code-host.ts";
import { relativeUrl } from "../code-hosts/hosted-repository-name.ts";
import { recordChallengeCommit } from "./challenge-repository.ts";
import { ALL_CODE, readPins } from "./private-challenge-repository.ts";
import type { Repositories } from "./repositories.ts";

/** The services that updating a challenge's repository uses. */
export type ChallengeRepositoryNeeds = Needs<"records" | "clock"> & {
  host: Pick<CodeHost, "outside" | "cloneUrl">;
  repositories: Pick<Repositories, "challenge">;
};

/** Returns the challenge's own bare repository, updated to its participants' current commits. */
export async function currentChallengeRepository(
  { host, repositories, records, clock }: ChallengeRepositoryNeeds,
  config: Pick<ChallengeConfig, "id" | "title">,
): Promise<string> {
  const own = { challenge: config.id, participant: null, edition: "private" as const };
  const urlOf = (participant: string) =>
    host.outside
      ? relativeUrl(host.cloneUrl(own), host.cloneUrl({ ...own, participant }))
      : // A relative path holds whatever the broker's address is.
        repositoryPath(config.id, participant).replace(/^\/code\//, "../");
  await recordChallengeCommit(records, ALL_CODE, config, (trx) => readPins(trx, config.id, urlOf), clock());
  return repositories.challenge(config.id);
}
