import type { Transaction } from "kysely";
import { repositoryName } from "../../domain/submissions/repository-name.ts";
import type { Tables } from "../../records/tables.ts";
import type { ChallengeRepository, Pin } from "./challenge-repository.ts";

/** The repository that joins the code of all submissions to a challenge. */
export const ALL_CODE: ChallengeRepository = {
  table: "code_challenge_commits",
  lock: "code",
  message: (challenge) => `State of ${challenge}`,
  readme: ({ id, title }) => `# ${title}

The code of the submissions to \`${id}\`. Each folder is a participant's repository, joined as a submodule:
\`git clone --recurse-submodules\` fetches them too. In each, a commit on \`main\` is a submission, tagged
\`submission-<id>\`, with its score among the trailers.
`,
};

/** Returns each participant's repository with its current commit. */
export async function readPins(
  trx: Transaction<Tables>,
  challenge: string,
  urlOf: (participant: string) => string,
): Promise<Pin[]> {
  const latest = trx
    .selectFrom("submission_code")
    .select(({ fn }) => ["participant_id", fn.max("final_seq").as("final_seq")])
    .where("challenge", "=", challenge)
    .where("final_seq", "is not", null)
    .groupBy("participant_id");
  const rows = await trx
    .selectFrom("submission_code")
    .innerJoin(latest.as("latest"), (join) =>
      join
        .onRef("latest.participant_id", "=", "submission_code.participant_id")
        .onRef("latest.final_seq", "=", "submission_code.final_seq"),
    )
    .innerJoin("participants", "participants.id", "submission_code.participant_id")
    .select(["participants.id", "participants.name", "submission_code.final_commit"])
    .where("submission_code.challenge", "=", challenge)
    .orderBy("participants.id")
    .execute();
  return rows.map((row) => {
    const path = repositoryName(row);
    return { path, url: urlOf(path), commit: row.final_commit as string };
  });
}
