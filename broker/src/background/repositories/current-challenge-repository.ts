import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { repositoryPath } from "../../domain/submissions/repository-name.ts";
import { relativeUrl } from "../code-hosts/hosted-repository-name.ts";
import { recordChallengeCommit } from "./challenge-repository.ts";
import type { CodeContext } from "./code-context.ts";
import { ALL_CODE, readPins } from "./private-challenge-repository.ts";

/** Returns the challenge's own bare repository, updated to its participants' current commits. */
export async function currentChallengeRepository(
  { host, repositories, submissions }: CodeContext,
  config: Pick<ChallengeConfig, "id" | "title">,
): Promise<string> {
  const own = { challenge: config.id, participant: null, edition: "private" as const };
  const urlOf = (participant: string) =>
    host.outside
      ? relativeUrl(host.cloneUrl(own), host.cloneUrl({ ...own, participant }))
      : // A relative path holds whatever the broker's address is.
        repositoryPath(config.id, participant).replace(/^\/code\//, "../");
  await recordChallengeCommit(
    submissions.records,
    ALL_CODE,
    config,
    (trx) => readPins(trx, config.id, urlOf),
    submissions.clock(),
  );
  return repositories.challenge(config.id);
}
