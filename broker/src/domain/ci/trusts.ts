import { CrowdaiError } from "@crowdai/shared";
import type { CiIssuer } from "../../base/ci-issuers.ts";
import { type Clock, iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { CiTrustRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { parseSubject, type Subject, subjectText } from "./subject.ts";

export interface CiTrust {
  /** In its full form, such as `github:owner/repo@refs/heads/main`. */
  subject: string;
  issuer: string;
  repository: string;
  ref: string | null;
  environment: string | null;
  created_at: string;
  last_used_at: string | null;
  /** Ids of the repository and its owner, pinned when it is first used. */
  repository_id: string | null;
  owner_id: string | null;
  /** False once the key that it was made with is revoked. */
  active: boolean;
}

const MAX_TRUSTS = 100;
const MAX_USER_AGENT_LENGTH = 500;

/**
 * Lets the jobs of a subject act as the participant for as long as the caller's key works. Repeating it
 * returns the same trust. Rows are never deleted: who trusted which jobs, from where, and until when stays in
 * the records.
 */
export async function addTrust(
  { records, clock }: { records: Pick<Records, "transaction" | "lock">; clock: Clock },
  caller: Caller,
  subject: Subject,
  from: { ip: string; userAgent: string | undefined },
): Promise<CiTrustRow> {
  return commit(records, "add-trust", async (trx) => {
    await records.lock(trx, `ci-trusts:${caller.id}`);
    const trusts = await currentTrusts(trx, caller.id);
    const known = trusts.find((row) => row.key_hash === caller.keyHash && isOf(row, subject));
    if (known) return known;
    if (trusts.length >= MAX_TRUSTS)
      throw new CrowdaiError("not_allowed", `You already trust ${MAX_TRUSTS} subjects.`, {
        next: "Run `crowdai ci list`, and withdraw some with `crowdai ci untrust`.",
      });
    const now = iso(clock());
    // Of an earlier key.
    await revoke(
      trx,
      trusts.filter((row) => isOf(row, subject)),
      now,
    );
    const { issuer, repository, ref, environment } = subject;
    return trx
      .insertInto("ci_trusts")
      .values({
        participant_id: caller.id,
        key_hash: caller.keyHash,
        issuer: issuer.url,
        repository,
        repository_key: repository.toLowerCase(),
        ref,
        environment,
        created_at: now,
        ip: from.ip,
        user_agent: (from.userAgent ?? "").slice(0, MAX_USER_AGENT_LENGTH),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/**
 * Withdraws a trust, which ends its sessions, and returns its subject in full. A subject as `listTrusts`
 * shows it works even if the broker does not accept its issuer any more. Throws usage when there is none of
 * this subject.
 */
export async function withdrawTrust(
  {
    records,
    clock,
    issuers,
  }: { records: Pick<Records, "transaction" | "lock">; clock: Clock; issuers: readonly CiIssuer[] },
  caller: Caller,
  text: string,
): Promise<string> {
  return commit(records, "withdraw-trust", async (trx) => {
    await records.lock(trx, `ci-trusts:${caller.id}`);
    const current = await currentTrusts(trx, caller.id);
    const shown = current.filter((row) => viewTrust(row, issuers).subject === text);
    if (shown.length > 0) {
      await revoke(trx, shown, iso(clock()));
      return text;
    }
    const subject = parseSubject(text, issuers);
    const name = subjectText({ ...subject, issuer: subject.issuer.name });
    const trusts = current.filter((row) => isOf(row, subject));
    if (trusts.length === 0)
      throw new CrowdaiError("usage", `You do not trust ${name}.`, {
        next: "Run `crowdai ci list` to see what you trust.",
      });
    await revoke(trx, trusts, iso(clock()));
    return name;
  });
}

/** Returns the participant's trusts that were not withdrawn, oldest first. */
export async function listTrusts(
  db: Db,
  participantId: number,
  issuers: readonly CiIssuer[],
): Promise<CiTrust[]> {
  const rows = await currentTrusts(db, participantId);
  return rows.map((row) => viewTrust(row, issuers));
}

export function viewTrust(
  row: CiTrustRow & { key_revoked_at?: string | null },
  issuers: readonly CiIssuer[],
): CiTrust {
  const { issuer, repository, ref, environment, created_at, last_used_at, repository_id, owner_id } = row;
  return {
    subject: subjectText({ ...row, issuer: issuerName(issuer, issuers) }),
    ...{ issuer, repository, ref, environment, created_at, last_used_at, repository_id, owner_id },
    active: !row.key_revoked_at && issuers.some(({ url }) => url === issuer),
  };
}

/** Returns the name of an issuer in subjects; its host when the broker does not accept it any more. */
export const issuerName = (url: string, issuers: readonly CiIssuer[]): string =>
  issuers.find((issuer) => issuer.url === url)?.name ?? new URL(url).host;

const currentTrusts = (db: Db, participantId: number) =>
  db
    .selectFrom("ci_trusts")
    .innerJoin("api_keys", "api_keys.hash", "ci_trusts.key_hash")
    .selectAll("ci_trusts")
    .select("api_keys.revoked_at as key_revoked_at")
    .where("participant_id", "=", participantId)
    .where("ci_trusts.revoked_at", "is", null)
    .orderBy("id")
    .execute();

async function revoke(db: Db, rows: readonly CiTrustRow[], now: string): Promise<void> {
  if (rows.length === 0) return;
  await db
    .updateTable("ci_trusts")
    .set({ revoked_at: now })
    .where(
      "id",
      "in",
      rows.map(({ id }) => id),
    )
    .execute();
}

const isOf = (row: CiTrustRow, { issuer, repository, ref, environment }: Subject) =>
  row.issuer === issuer.url &&
  row.repository_key === repository.toLowerCase() &&
  row.ref === ref &&
  row.environment === environment;
