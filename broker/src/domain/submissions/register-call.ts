import { type Call, CrowdaiError, type Submission, type SubmissionEvent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { functionsOf, REPLAY } from "../environments/challenge-functions.ts";
import type { Caller } from "../participants/api-keys.ts";
import { requireNotDisqualified } from "../participants/disqualifications.ts";
import { requireNotClosed } from "../publishing/close-challenge.ts";
import { requireKind } from "../rules/accepted-input.ts";
import { targetRound } from "../rules/target-round.ts";
import { requireTrials } from "../rules/trials.ts";
import { requireVisible } from "../rules/visibility.ts";
import { describeInput, requireSame } from "./described-input.ts";
import { participantLock } from "./find-submission.ts";
import { insertSubmission } from "./insert-submission.ts";
import { planReplay } from "./plan-replay.ts";
import type { Needs } from "./services.ts";
import { type ViewNeeds, viewSubmission } from "./view-submission.ts";

/** Calls take no slot; this limit keeps one participant from filling the queue. */
const MAX_WAITING_CALLS = 2000;

/** The services that registering a call uses. */
export type CallNeeds = ViewNeeds & Needs<"records" | "catalog" | "announce" | "dispatchSoon">;

/**
 * Registers a list of values for a function other than `submit`, all or none. They take no slot and have no
 * leaderboard entry.
 */
export async function registerCall(context: CallNeeds, caller: Caller, call: Call): Promise<Submission[]> {
  const { config } = context.catalog.get(call.challenge);
  await requireVisible(context, config, caller);
  await requireNotDisqualified(context.records.db, config.id, caller.id);
  requireFunction(config, call.function);
  if (call.function === "submit" && !call.dry_run)
    throw new CrowdaiError("usage", 'A call is for functions other than "submit".');
  if (config.run || (config.environment && call.function !== REPLAY)) requireKind(config, "inline");
  const arrival = context.clock();
  const isReplay = config.environment !== null;
  // A session can be replayed at any time, in its own round.
  const open = isReplay ? null : targetRound(config, call.round, arrival);
  if (open && !open.postChallenge) await requireNotClosed(context.records.db, config.id);
  const items = await Promise.all(
    call.items.map(async ({ id, data }) => {
      const input = { kind: "inline" as const, data };
      const described = describeInput({ input, code: null });
      const { target, input_data } = open
        ? { target: open, input_data: described.input_data }
        : await planReplay(context.records.db, config, caller, data);
      return { ...call, id, message: null, input, target, described: { ...described, input_data } };
    }),
  );
  const rows = await commit(context.records, "register-call", async (trx) => {
    // The limits hold, and an id is one submission, also for calls that arrive at the same time.
    await context.records.lock(trx, participantLock({ participant_id: caller.id, challenge: config.id }));
    const known = await trx
      .selectFrom("submissions")
      .selectAll()
      .where(
        "id",
        "in",
        items.map(({ id }) => id),
      )
      .execute();
    const byId = new Map(known.map((row) => [row.id, row]));
    const more = items.length - known.length;
    await requireCallCapacity(trx, caller.id, more);
    const trial = { function: call.function, participantId: caller.id, more };
    if (more > 0) await requireTrials(trx, config, trial, arrival);
    const events: SubmissionEvent[] = [];
    const result: SubmissionRow[] = [];
    for (const item of items) {
      const before = byId.get(item.id);
      if (before) {
        requireSame(caller, item, item.described, before);
        result.push(before);
        continue;
      }
      const inserted = await insertSubmission(
        trx,
        config,
        caller,
        item.target,
        arrival,
        item,
        item.described,
      );
      byId.set(item.id, inserted.row);
      events.push(...inserted.events);
      result.push(inserted.row);
    }
    return { result, events };
  });
  context.announce(config.id, rows.events);
  context.dispatchSoon();
  return Promise.all(rows.result.map((row) => viewSubmission(context, context.records.db, row)));
}

/** Throws function_unknown. */
export function requireFunction(config: ChallengeConfig, name: string): void {
  const functions = functionsOf(config);
  if (functions.includes(name)) return;
  throw new CrowdaiError(
    "function_unknown",
    `${config.id} has no function "${name.slice(0, 100)}"; it has ${functions.map((known) => `"${known}"`).join(", ")}.`,
    { details: { functions } },
  );
}

/** Throws too_many_requests when this many more calls would exceed the limit. */
export async function requireCallCapacity(db: Db, participantId: number, more: number): Promise<void> {
  const waiting = await db
    .selectFrom("submissions")
    .select("id")
    .where("participant_id", "=", participantId)
    .where("state", "in", ["submitted", "grading"])
    .where("function", "!=", "submit")
    .limit(MAX_WAITING_CALLS)
    .execute();
  if (waiting.length + more > MAX_WAITING_CALLS)
    throw new CrowdaiError(
      "too_many_requests",
      `${waiting.length} of your calls are waiting for results; at most ${MAX_WAITING_CALLS} may wait.`,
    );
}
