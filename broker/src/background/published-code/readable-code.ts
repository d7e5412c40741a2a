import { type CodePlace, CrowdaiError } from "@crowdai/shared";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isOrganizerOf } from "../../domain/rules/visibility.ts";
import { repositoryName, repositoryPath } from "../../domain/submissions/repository-name.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionCodeRow, SubmissionRow } from "../../records/tables.ts";
import type { CodeHost } from "../code-hosts/code-host.ts";

/** Code that a viewer may read: their own, their challenge's, or published. */
export interface ReadableCode {
  row: SubmissionRow;
  code: SubmissionCodeRow;
  participant: string;
  own: boolean;
  published: boolean;
}

/**
 * Finds the code of a submission that the viewer may read: their own, any of their challenges' for an
 * organizer, and published code for everyone. Throws code_unavailable, which reveals nothing about code that
 * the viewer may not see.
 */
export async function findReadableCode(db: Db, viewer: Caller | null, id: string): Promise<ReadableCode> {
  const row = await db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirst();
  const own = row !== undefined && viewer?.kind === "participant" && row.participant_id === viewer.id;
  const publication =
    row &&
    (await db.selectFrom("publications").select("seq").where("submission", "=", id).executeTakeFirst());
  const readable = row && (own || publication || (await isOrganizerOf(db, viewer, row.challenge)));
  if (!readable)
    throw new CrowdaiError(
      "code_unavailable",
      `There is no submission "${id.slice(0, 64)}" whose code you may read.`,
    );
  const code = await db
    .selectFrom("submission_code")
    .selectAll()
    .where("submission", "=", id)
    .executeTakeFirst();
  if (code?.state !== "stored") throw new CrowdaiError("code_unavailable", whyNot(id, code?.state));
  const { name } = await db
    .selectFrom("participants")
    .select("name")
    .where("id", "=", row.participant_id)
    .executeTakeFirstOrThrow();
  return { row, code, participant: name, own, published: publication !== undefined };
}

/**
 * Finds the participant's previous submission whose code the viewer may also read; null when this is the
 * first.
 */
export async function findPrevious(
  db: Db,
  { row, code, own }: ReadableCode,
  viewer: Caller | null,
): Promise<ReadableCode | null> {
  const all = own || (await isOrganizerOf(db, viewer, row.challenge));
  const found = await db
    .selectFrom("submission_code")
    .innerJoin("submissions", "submissions.id", "submission_code.submission")
    .select("submissions.id")
    .where("submission_code.challenge", "=", row.challenge)
    .where("submission_code.participant_id", "=", row.participant_id)
    .where("submission_code.stored_seq", "is not", null)
    .where("submission_code.stored_seq", "<", code.stored_seq)
    .$if(!all, (query) => query.where("submissions.published_at", "is not", null))
    .orderBy("submission_code.stored_seq", "desc")
    .limit(1)
    .executeTakeFirst();
  return found ? findReadableCode(db, viewer, found.id) : null;
}

/** Returns where the code can be cloned and forked. */
export function codePlace(
  { row, code, participant, own, published }: ReadableCode,
  { host, kind, baseUrl }: { host: CodeHost; kind: CodePlace["host"]; baseUrl: string },
): CodePlace {
  const name = repositoryName({ id: row.participant_id, name: participant });
  const repository = { challenge: row.challenge, participant: name, edition: "public" as const };
  // Until it is published, only the broker shows it, to its participant.
  const outside = published && host.outside;
  return {
    submission: row.id,
    challenge: row.challenge,
    participant,
    own,
    published_at: row.published_at,
    tag: code.final_commit === null ? null : `submission-${row.id}`,
    clone_url: outside ? host.cloneUrl(repository) : baseUrl + repositoryPath(row.challenge, name),
    page_url: outside ? host.pageUrl(repository) : null,
    fork_url: outside ? host.forkUrl(repository) : null,
    host: outside ? kind : "local",
  };
}

function whyNot(id: string, state: SubmissionCodeRow["state"] | undefined): string {
  if (state === "awaited") return `The code of ${id} has not arrived yet.`;
  if (state === "missing") return `The code of ${id} was never received.`;
  return `${id} was submitted without code.`;
}
