import { createHmac, timingSafeEqual } from "node:crypto";
import { CrowdaiError, createSubmissionId, SUBMISSION_ID } from "@crowdai/shared";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { hasPlayed } from "../environments/has-played.ts";
import type { Caller } from "../participants/api-keys.ts";
import { requireVisible } from "../rules/visibility.ts";
import { type CancelNeeds, cancelSubmission } from "../submissions/cancel-submission.ts";
import { findFreeOrOwn } from "../submissions/find-submission.ts";
import type { IntentNeeds } from "../submissions/register-intent.ts";
import type { Needs } from "../submissions/services.ts";
import { identifyParticipant } from "../webapp/webapp.ts";
import { createSession } from "./create-session.ts";
import type { RemoteAgents } from "./remote-agents.ts";

// Clients of gym-http-api name a session by an instance id, which is all that they send after its creation.

/** A client asks for its first episode at once. Until then, it may be about to. */
const ABOUT_TO_RESET_MS = 2000;

/**
 * How long the key of an instance is stored after its session has ended, for clients that repeat their last
 * requests.
 */
const KEPT_MS = 24 * 3600 * 1000;

const MAX_VERIFIED = 10_000;

/** The instance ids of an installation. They cannot be guessed, and need not be stored. */
export interface InstanceIds {
  of(submission: string): string;
  /** Returns the submission that an instance id names; null for one that was not given out. */
  read(instance: string): string | null;
}

export function createInstanceIds(secret: string): InstanceIds {
  const digest = (submission: string) =>
    createHmac("sha256", secret)
      .update(JSON.stringify(["instance", submission]))
      .digest("hex")
      .slice(0, 32);
  // Instances that were verified before: verifying one takes longer than the rest of a step.
  const verified = new Map<string, string>();
  return {
    of: (submission) => `${submission}.${digest(submission)}`,
    read(instance) {
      const known = verified.get(instance);
      if (known !== undefined) return known;
      const [submission = "", sent = ""] = instance.split(".");
      if (!SUBMISSION_ID.test(submission) || instance !== `${submission}.${sent}`) return null;
      const expected = Buffer.from(digest(submission));
      const given = Buffer.from(sent);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
      if (verified.size >= MAX_VERIFIED) verified.clear();
      verified.set(instance, submission);
      return submission;
    },
  };
}

export type InstanceNeeds = IntentNeeds & CancelNeeds & Needs<"webapp" | "clock">;

/** The message of a client that creates an instance. */
export interface NewInstance {
  /** The challenge, or the name that it has for such clients. */
  env_id: string;
  token: string | undefined;
  /** The submission's id, of a client that may repeat the request. */
  submission?: string | undefined;
  round?: string | undefined;
  message?: string | undefined;
}

/**
 * Registers a session for a client of gym-http-api, and returns the submission. Earlier sessions of the
 * participant are cancelled if their agent left before its first episode: they would only wait for it.
 */
export async function createInstance(
  context: InstanceNeeds,
  agents: RemoteAgents,
  { env_id, token, submission, round, message }: NewInstance,
): Promise<string> {
  const caller = await identifyParticipant(context.webapp, token);
  const challenge = await challengeNamed(context, caller, env_id);
  const id = submission ?? createSubmissionId();
  const known = await findFreeOrOwn(context.records.db, caller, id);
  if (!known) await cancelUnplayed(context, agents, caller, challenge);
  await createSession(
    context,
    caller,
    { id, challenge, round: round ?? null, message: message ?? null },
    known,
  );
  await forgetEnded(context, caller);
  const kept_key = context.webapp.remember(caller);
  await context.records.db
    .insertInto("environment_instances")
    .values({ submission: id, env_id, kept_key })
    .onConflict((conflict) => conflict.column("submission").doUpdateSet({ kept_key }))
    .execute();
  return id;
}

async function forgetEnded({ records, clock }: Needs<"records" | "clock">, caller: Caller): Promise<void> {
  const ended = records.db
    .selectFrom("submissions")
    .select("id")
    .where("participant_id", "=", caller.id)
    .where("finished_at", "<", iso(clock().getTime() - KEPT_MS));
  await records.db.deleteFrom("environment_instances").where("submission", "in", ended).execute();
}

/**
 * Returns the challenge that a client calls by its id or its name for such clients, among those that the
 * participant may see.
 */
async function challengeNamed(
  context: Needs<"records" | "catalog">,
  caller: Caller,
  name: string,
): Promise<string> {
  const { catalog } = context;
  if (catalog.all().has(name)) return name;
  const ids: string[] = [];
  for (const [id, { config }] of catalog.all()) {
    if (config.environment?.old_clients?.env_id !== name) continue;
    if (await isVisible(context, catalog, caller, id)) ids.push(id);
  }
  const [id, ...others] = ids;
  if (id === undefined) throw catalog.unknown(name);
  if (others.length === 0) return id;
  throw new CrowdaiError("usage", `Several challenges have an environment "${name}": ${ids.join(", ")}.`, {
    next: "Send the challenge's id as env_id.",
  });
}

const isVisible = (context: Needs<"records" | "catalog">, catalog: Catalog, caller: Caller, id: string) =>
  requireVisible(context, catalog.get(id).config, caller).then(
    () => true,
    () => false,
  );

async function cancelUnplayed(
  context: InstanceNeeds,
  agents: RemoteAgents,
  caller: Caller,
  challenge: string,
): Promise<void> {
  const { db } = context.records;
  const rows = await db
    .selectFrom("submissions")
    .innerJoin("environment_instances", "submission", "submissions.id")
    .select("submissions.id")
    .where("participant_id", "=", caller.id)
    .where("challenge", "=", challenge)
    .where("state", "in", ["initiated", "submitted", "grading"])
    .where("created_at", "<", iso(context.clock().getTime() - ABOUT_TO_RESET_MS))
    .execute();
  for (const { id } of rows) {
    if (agents.isAsked(id) || (await hasPlayed(db, id))) continue;
    await cancelSubmission(context, caller, id).catch((error) => {
      // It may have ended in the meantime.
      if (!(error instanceof CrowdaiError) || error.code !== "already_final") throw error;
    });
  }
}

/** Returns the names of the caller's instances that have not ended, by submission. */
export async function openInstances(db: Db, caller: Caller): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom("submissions")
    .innerJoin("environment_instances", "submission", "submissions.id")
    .select(["submissions.id", "env_id"])
    .where("participant_id", "=", caller.id)
    .where("state", "in", ["initiated", "submitted", "grading"])
    .orderBy("number")
    .execute();
  return new Map(rows.map(({ id, env_id }) => [id, env_id]));
}

/**
 * Returns the participant whose key opened an instance; null when none did. Throws as the webapp does, once
 * the key is revoked.
 */
export async function ownerOf(
  { records, webapp }: Needs<"records" | "webapp">,
  submission: string,
): Promise<Caller | null> {
  const row = await records.db
    .selectFrom("environment_instances")
    .select("kept_key")
    .where("submission", "=", submission)
    .executeTakeFirst();
  return row ? webapp.recall(row.kept_key) : null;
}
