import type { CodePush, Intent, Submission } from "@crowdai/shared";
import { type ChallengeConfig, graderGetsCode } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionCodeRow, SubmissionRow } from "../../records/tables.ts";
import { carriesCode } from "../rules/accepted-code.ts";
import type { NamedParticipant } from "./repository-name.ts";
import { repositoryName, repositoryPath } from "./repository-name.ts";

const HOUR = 3600 * 1000;

/** How long code may follow its submission, and how long grading waits for code that is not required. */
export const CODE_DEADLINES = { awaited: 7 * 24 * HOUR, handed: HOUR } as const;

/**
 * Values of `holds`: grading does not wait for the code, waits until the deadline, or waits until the code is
 * stored.
 */
export const HOLDS = { no: 0, awhile: 1, until_stored: 2 } as const;

/**
 * Records the announced code. Code that the participant's repository already has counts as stored. When code
 * is announced again with another commit before any is stored, the newer commit counts.
 */
export async function recordAnnouncedCode(
  trx: Db,
  config: ChallengeConfig,
  intent: Intent,
  row: Pick<SubmissionRow, "id" | "challenge" | "participant_id">,
  now: Date,
): Promise<void> {
  const { code } = intent;
  if (!code || !carriesCode(intent)) return;
  const known = await readCode(trx, row.id);
  if (known && (known.state === "stored" || known.commit_name === code.commit)) return;
  const same = await findStored(trx, config, row, code);
  const holds = same ? HOLDS.no : holdsOf(config, intent);
  const wait = holds === HOLDS.awhile ? CODE_DEADLINES.handed : CODE_DEADLINES.awaited;
  const values = {
    commit_name: code.commit,
    tree: code.tree,
    files: same?.files ?? code.files,
    bytes: same?.bytes ?? code.bytes,
    state: same ? ("stored" as const) : ("awaited" as const),
    holds,
    deadline_at: same ? null : iso(now.getTime() + wait),
    ...(same && {
      stored_at: iso(now),
      stored_seq: await nextStored(trx, row),
      snapshot: same.snapshot,
      tree_key: same.tree_key,
      tree_size: same.tree_size,
      tree_sha256: same.tree_sha256,
    }),
  };
  if (known) {
    // Grading that no longer waits does not start to wait again, and a newer commit does not extend the wait.
    const kept = same ? {} : { holds: known.holds, deadline_at: known.deadline_at ?? values.deadline_at };
    await trx
      .updateTable("submission_code")
      .set({ ...values, ...kept })
      .where("submission", "=", row.id)
      .execute();
    return;
  }
  await trx
    .insertInto("submission_code")
    .values({ submission: row.id, challenge: row.challenge, participant_id: row.participant_id, ...values })
    .execute();
}

/** A session waits for no code: its agent is here, and waits. */
function holdsOf(config: ChallengeConfig, { input }: Pick<Intent, "input">): SubmissionCodeRow["holds"] {
  if (input.kind === "session") return HOLDS.no;
  if (input.kind === "code" || config.code.capture === "required") return HOLDS.until_stored;
  return graderGetsCode(config) ? HOLDS.awhile : HOLDS.no;
}

export async function readCode(db: Db, submission: string): Promise<SubmissionCodeRow | undefined> {
  return db.selectFrom("submission_code").selectAll().where("submission", "=", submission).executeTakeFirst();
}

/** Returns the next storage number of a repository; call it under the repository's lock. */
export async function nextStored(
  trx: Db,
  { challenge, participant_id }: Pick<SubmissionRow, "challenge" | "participant_id">,
): Promise<number> {
  const last = await trx
    .selectFrom("submission_code")
    .select(({ fn }) => fn.max("stored_seq").as("seq"))
    .where("challenge", "=", challenge)
    .where("participant_id", "=", participant_id)
    .executeTakeFirstOrThrow();
  return Number(last.seq ?? 0) + 1;
}

/** Returns the name of the lock for a participant's repository in the records. */
export const codeLock = (row: { challenge: string; participant_id: number }): string =>
  `code:${row.challenge}:${row.participant_id}`;

/** Returns where to push the announced commit, and whether it is already stored. */
export function codePush(baseUrl: string, participant: NamedParticipant, code: SubmissionCodeRow): CodePush {
  return {
    url: baseUrl + repositoryPath(code.challenge, repositoryName(participant)),
    ref: `refs/incoming/${code.submission}`,
    have: code.state === "stored",
  };
}

/** Returns a submission's code as its participant sees it. */
export function viewCode(
  baseUrl: string,
  participant: NamedParticipant,
  code: SubmissionCodeRow,
): NonNullable<Submission["code"]> {
  return {
    state: code.state,
    commit: code.commit_name,
    tag: code.final_commit === null ? null : `submission-${code.submission}`,
    url: baseUrl + repositoryPath(code.challenge, repositoryName(participant)),
    files: code.files,
    bytes: code.bytes,
  };
}

async function findStored(
  trx: Db,
  config: ChallengeConfig,
  row: Pick<SubmissionRow, "challenge" | "participant_id">,
  code: NonNullable<Intent["code"]>,
): Promise<SubmissionCodeRow | undefined> {
  return (
    trx
      .selectFrom("submission_code")
      .selectAll()
      .where("challenge", "=", row.challenge)
      .where("participant_id", "=", row.participant_id)
      .where("state", "=", "stored")
      .where("commit_name", "=", code.commit)
      .where("tree", "=", code.tree)
      // Graders need the archive too: where there is none, it is made when the code is pushed again.
      .$if(graderGetsCode(config), (query) => query.where("tree_key", "is not", null))
      .limit(1)
      .executeTakeFirst()
  );
}
