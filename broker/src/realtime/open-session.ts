import type { Session } from "@crowdai/shared";
import { openRound } from "@crowdai/shared/challenge-folder";
import { hasAgreed } from "../domain/agreements/agreements.ts";
import { publicChallenge } from "../domain/challenges/public-challenge.ts";
import type { ServingSources } from "../domain/graders/queue-status.ts";
import type { Caller } from "../domain/participants/api-keys.ts";
import { readLimits } from "../domain/rules/limits.ts";
import { requireVisible } from "../domain/rules/visibility.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { readInstance } from "../records/instance.ts";

/** The services that opening a session uses. */
export type SessionNeeds = ServingSources & Needs<"records" | "catalog" | "seedsOf" | "baseUrl">;

/** Builds the broker's first message: the participant, the challenge, its open round, and the slots left. */
export async function openSession(
  context: SessionNeeds,
  caller: Caller,
  challengeId: string | null,
  version: string,
): Promise<Session> {
  const { db } = context.records;
  const now = context.clock();
  const folder = challengeId === null ? null : context.catalog.get(challengeId);
  if (folder) await requireVisible(context, folder.config, caller);
  const challenge = folder && (await publicChallenge(folder, context));
  const limits =
    folder && (await readLimits(db, folder.config, openRound(folder.config, now) ?? null, caller.id, now));
  return {
    participant: { id: caller.id, name: caller.name },
    challenge,
    limits: limits && challenge && { ...limits, graders: challenge.graders, waiting: challenge.waiting },
    agreed: await hasAgreed(db, caller),
    broker: { version, instance: await readInstance(db) },
  };
}
