import { createHash } from "node:crypto";
import { CrowdaiError, createApiKey, hashApiKey } from "@crowdai/shared";
import type { CiIssuer } from "../../base/ci-issuers.ts";
import { type Clock, iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { CiTrustRow } from "../../records/tables.ts";
import { type Caller, nameKey } from "../participants/api-keys.ts";
import type { JobIdentity } from "./job-identity.ts";
import { mismatch } from "./match-trust.ts";
import { issuerName } from "./trusts.ts";

/** Tokens are remembered for longer than a clock that is behind could accept them. */
const REMEMBER_MS = 10 * 60_000;
/** How long ended sessions stay in the records. */
const STORED_MS = 90 * 24 * 3_600_000;

export interface OpenedCiSession {
  key: string;
  expires_at: string;
  participant: { id: number; name: string };
  trust: CiTrustRow;
}

type TrustOfName = CiTrustRow & { participant: string };

/** Fields that a job sends besides its token. */
export interface CiSessionRequest {
  /** Chooses among several participants who trust the job. */
  participant: string | undefined;
  /** The key of a session that the same token was exchanged for: the new session continues it. */
  renewedKey: string | undefined;
}

/**
 * Exchanges the token of a CI job, which was verified, for a session as the participant who trusts the job.
 * Throws ci_not_trusted, ci_ambiguous, and ci_token_used for a token that was exchanged before, unless its
 * session is renewed.
 */
export async function openCiSession(
  {
    records,
    clock,
    issuers,
    sessionMs,
  }: {
    records: Pick<Records, "transaction" | "lock">;
    clock: Clock;
    issuers: readonly CiIssuer[];
    sessionMs: number;
  },
  job: JobIdentity,
  { participant, renewedKey }: CiSessionRequest,
): Promise<OpenedCiSession> {
  return commit(records, "ci-sessions", async (trx) => {
    // The ids of a repository are pinned once, whichever of its jobs comes first.
    await records.lock(trx, `ci-repository:${job.issuer.url}:${job.repository.toLowerCase()}`);
    const trust = chooseTrust(
      await trustsOf(trx, job),
      job,
      participant,
      issuerName(job.issuer.url, issuers),
    );
    const now = clock().getTime();
    await forget(trx, now);
    const token_hash = tokenHash(job);
    const isFirst = await noteToken(trx, token_hash, job.tokenExpiresAt);
    if (!isFirst && !(await cameFrom(trx, renewedKey, token_hash))) throw new CrowdaiError("ci_token_used");
    await pin(trx, trust, job);
    await trx
      .updateTable("ci_trusts")
      .set({ last_used_at: iso(now) })
      .where("id", "=", trust.id)
      .execute();
    const key = createApiKey();
    const expires_at = iso(now + sessionMs);
    await trx
      .insertInto("ci_sessions")
      .values({
        hash: hashApiKey(key),
        trust_id: trust.id,
        token_hash,
        ref: job.ref,
        run: job.run,
        created_at: iso(now),
        expires_at,
      })
      .execute();
    return { key, expires_at, participant: { id: trust.participant_id, name: trust.participant }, trust };
  });
}

function chooseTrust(
  trusts: readonly TrustOfName[],
  job: JobIdentity,
  named: string | undefined,
  issuer: string,
): TrustOfName {
  const asked =
    named === undefined ? trusts : trusts.filter((row) => nameKey(row.participant) === nameKey(named));
  const covering = asked.filter((row) => mismatch(row, job) === null);
  if (new Set(covering.map((row) => row.participant_id)).size > 1) throw new CrowdaiError("ci_ambiguous");
  const [trust] = covering;
  if (trust) return trust;
  const by = named === undefined ? "No participant trusts" : `The participant "${named}" does not trust`;
  const reasons = [...new Set(asked.map((row) => mismatch(row, job)))];
  throw new CrowdaiError(
    "ci_not_trusted",
    reasons.length === 0
      ? `${by} ${issuer}:${job.repository}.`
      : `This job is not trusted: ${reasons.join("; ")}.`,
    {
      next: `To let it act as you, run once with your own key: crowdai ci trust ${issuer}:${job.repository}${job.ref.startsWith("refs/") ? "" : `@${job.ref}`}`,
      details: { repository: job.repository, ref: job.ref, environment: job.environment },
    },
  );
}

/** Binds all of the participant's trusts of a repository to its ids, whichever of them is used first. */
const pin = (db: Db, { participant_id, issuer, repository_key }: CiTrustRow, job: JobIdentity) =>
  db
    .updateTable("ci_trusts")
    .set({ repository_id: job.repositoryId, owner_id: job.ownerId })
    .where("participant_id", "=", participant_id)
    .where("issuer", "=", issuer)
    .where("repository_key", "=", repository_key)
    .where("revoked_at", "is", null)
    .where("repository_id", "is", null)
    .execute();

/** Remembers a token; false when it was remembered before. */
async function noteToken(db: Db, hash: string, expiresAt: number): Promise<boolean> {
  const noted = await db
    .insertInto("ci_tokens")
    .values({ hash, expires_at: iso(expiresAt + REMEMBER_MS) })
    .onConflict((conflict) => conflict.column("hash").doNothing())
    .returning("hash")
    .execute();
  return noted.length > 0;
}

async function cameFrom(db: Db, key: string | undefined, token_hash: string): Promise<boolean> {
  if (key === undefined) return false;
  const row = await db
    .selectFrom("ci_sessions")
    .select("hash")
    .where("hash", "=", hashApiKey(key))
    .where("token_hash", "=", token_hash)
    .executeTakeFirst();
  return row !== undefined;
}

const trustsOf = (db: Db, job: JobIdentity): Promise<TrustOfName[]> =>
  db
    .selectFrom("ci_trusts")
    .innerJoin("api_keys", "api_keys.hash", "ci_trusts.key_hash")
    .innerJoin("participants", "participants.id", "ci_trusts.participant_id")
    .selectAll("ci_trusts")
    .select("participants.name as participant")
    .where("ci_trusts.issuer", "=", job.issuer.url)
    .where("repository_key", "=", job.repository.toLowerCase())
    .where("ci_trusts.revoked_at", "is", null)
    .where("api_keys.revoked_at", "is", null)
    .orderBy("ci_trusts.id")
    .execute();

async function forget(db: Db, now: number): Promise<void> {
  await db.deleteFrom("ci_tokens").where("expires_at", "<", iso(now)).execute();
  await db
    .deleteFrom("ci_sessions")
    .where("expires_at", "<", iso(now - STORED_MS))
    .execute();
}

const tokenHash = ({ issuer, tokenId }: JobIdentity) =>
  createHash("sha256").update(`${issuer.url}\n${tokenId}`).digest("hex");

/**
 * Returns the participant that a session's key acts as. Throws key_unknown, session_expired and
 * session_ended.
 */
export async function identifyCiSession(db: Db, hash: string, now: Date): Promise<Caller> {
  const row = await sessionAndTrust(db, { hash });
  if (!row) throw new CrowdaiError("key_unknown");
  if (row.trust_revoked_at || row.key_revoked_at) throw new CrowdaiError("session_ended");
  if (row.expires_at <= iso(now))
    throw new CrowdaiError("session_expired", undefined, { details: { expired_at: row.expires_at } });
  const { issuer, repository, ref, expires_at } = row;
  return {
    kind: "participant",
    id: row.participant_id,
    name: row.participant,
    ...(row.member === null ? {} : { member: row.member }),
    keyHash: hash,
    session: { issuer, repository, ref, expires_at },
  };
}

const sessionAndTrust = lookup((db, { hash }: { hash: string }) =>
  db
    .selectFrom("ci_sessions")
    .innerJoin("ci_trusts", "ci_trusts.id", "ci_sessions.trust_id")
    .innerJoin("api_keys", "api_keys.hash", "ci_trusts.key_hash")
    .innerJoin("participants", "participants.id", "ci_trusts.participant_id")
    .select([
      "ci_sessions.expires_at",
      "ci_sessions.ref",
      "ci_trusts.issuer",
      "ci_trusts.repository",
      "ci_trusts.revoked_at as trust_revoked_at",
      "api_keys.revoked_at as key_revoked_at",
      "api_keys.member",
      "participants.id as participant_id",
      "participants.name as participant",
    ])
    .where("ci_sessions.hash", "=", hash),
);

/** Returns the digests of sessions that ended after `since`, or whose trust or key did. */
export async function endedCiSessions(db: Db, since: Date, now: Date): Promise<string[]> {
  const rows = await recentSessions(db, { since: iso(since) });
  return rows
    .filter((row) => row.expires_at <= iso(now) || row.trust_revoked_at || row.key_revoked_at)
    .map(({ hash }) => hash);
}

const recentSessions = (db: Db, { since }: { since: string }) =>
  db
    .selectFrom("ci_sessions")
    .innerJoin("ci_trusts", "ci_trusts.id", "ci_sessions.trust_id")
    .innerJoin("api_keys", "api_keys.hash", "ci_trusts.key_hash")
    .select([
      "ci_sessions.hash",
      "ci_sessions.expires_at",
      "ci_trusts.revoked_at as trust_revoked_at",
      "api_keys.revoked_at as key_revoked_at",
    ])
    .where("ci_sessions.expires_at", ">", since)
    .execute();
