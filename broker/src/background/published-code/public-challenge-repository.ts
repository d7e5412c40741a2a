import type { Records } from "../../records/records.ts";
import type { Git } from "../git/git.ts";
import {
  type ChallengeRepository,
  type Pin,
  recordChallengeCommit,
  updateChallenge,
} from "../repositories/challenge-repository.ts";

/** The repository that joins the published code of a challenge. */
const PUBLISHED_CODE: ChallengeRepository = {
  table: "public_challenge_commits",
  lock: "public-code",
  message: (challenge) => `Published code of ${challenge}`,
  readme: ({ id, title }) => `# ${title}

The code that participants of \`${id}\` published, under the license in each repository. Each folder is a participant's
repository, joined as a submodule: \`git clone --recurse-submodules\` fetches them too. In each, a commit on \`main\`
is a submission, tagged \`submission-<id>\`, with its score among the trailers.
`,
};

/** Records the next commit of the challenge's public repository if something has changed since the last. */
export async function recordPublicCommit(
  records: Pick<Records, "transaction" | "lock">,
  challenge: { id: string; title: string },
  pins: readonly Pin[],
  now: Date,
): Promise<void> {
  if (pins.length === 0) return;
  await recordChallengeCommit(records, PUBLISHED_CODE, challenge, async () => pins, now);
}

/** Updates the challenge's public repository from the records; returns null when they have nothing of it. */
export async function updatePublicChallenge(options: {
  dir: string;
  git: Git;
  records: Pick<Records, "db">;
  challenge: string;
}): Promise<string | null> {
  const commits = await updateChallenge({ ...options, repository: PUBLISHED_CODE });
  return commits > 0 ? options.dir : null;
}
