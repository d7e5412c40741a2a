import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { type Clock, iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { REPLAY } from "../environments/challenge-functions.ts";
import type { AttachedGraders } from "./attached-graders.ts";
import type { GradingTimes } from "./grading-times.ts";
import type { QueuePositions } from "./queue-positions.ts";

export interface Waiting {
  /** Queue position; 1 is next. */
  place: number;
  /** Why it waits, when nothing can grade it right now. */
  reason: string | null;
  /** When grading should start; null when unknown. */
  expectedAt: string | null;
  /** Number of attached graders that serve the challenge. */
  graders: number;
}

/** Sources of whether a challenge can be graded right now. */
export interface ServingSources {
  graders: Pick<AttachedGraders, "all" | "serving" | "servingSessions" | "lastSeen">;
  /** Whether graders run submitted code for a challenge. */
  runsCode: (challenge: string) => boolean;
  clock: Clock;
  /** Whether the queue rejected the latest attempt to publish jobs. */
  dispatchStalled: () => boolean;
}

/** Sources of how long a submission has to wait. */
export interface QueueStatusSources extends ServingSources {
  gradingTimes: Pick<GradingTimes, "meanMs">;
  queuePositions: QueuePositions;
}

/** Returns the queue status of a submitted submission. */
export async function readWaiting(
  context: QueueStatusSources,
  db: Db,
  row: Pick<SubmissionRow, "number" | "challenge" | "participant_id" | "input_kind" | "function">,
): Promise<Waiting> {
  const place = await context.queuePositions.placeOf(db, row);
  return (await readQueueStatus(context, row.challenge, waitsAsSession(row)))(place);
}

/**
 * Returns the current queue status of a challenge's submissions, or of its sessions, as a function of the
 * queue position.
 */
export async function readQueueStatus(
  context: Omit<QueueStatusSources, "queuePositions">,
  challenge: string,
  ofSessions: boolean,
): Promise<(place: number) => Waiting> {
  const serving = await servingOf(context, challenge, ofSessions);
  const { graders, waiting: reason } = await readServing(context, challenge, ofSessions);
  const each = context.gradingTimes.meanMs(challenge);
  const atOnce = serving.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const now = context.clock().getTime();
  const isKnown = reason === null && each !== null;
  return (place) => ({
    place,
    reason,
    expectedAt: isKnown ? iso(now + (each * place) / atOnce) : null,
    graders,
  });
}

/** Returns how many graders serve a challenge now, or its sessions, and, when none can grade it, why. */
export async function readServing(
  context: ServingSources,
  challenge: string,
  ofSessions = false,
): Promise<{ graders: number; waiting: string | null }> {
  const graders = (await servingOf(context, challenge, ofSessions)).length;
  // Checked first: an unreachable queue reports no graders either.
  if (context.dispatchStalled()) return { graders, waiting: "waiting for dispatch" };
  if (graders > 0) return { graders, waiting: null };
  const unable = (await context.graders.all()).find((one) => one.unable?.[challenge]);
  const onlyCode = !ofSessions && (await context.graders.servingSessions(challenge)).length > 0;
  const what = onlyCode || context.runsCode(challenge) ? "code" : challenge;
  if (unable) return { graders, waiting: `no grader can run ${what}: ${unable.unable![challenge]}` };
  const since = utcTime(context.graders.lastSeen(challenge), context.clock());
  return { graders, waiting: `no grader has served ${challenge} since ${since}` };
}

/** Returns the same for a challenge as a whole. Graders without boxes may take only its sessions. */
export async function readChallengeServing(
  context: ServingSources,
  { id, environment }: Pick<ChallengeConfig, "id" | "environment">,
): Promise<{ graders: number; waiting: string | null }> {
  const serving = await readServing(context, id);
  if (serving.waiting === null || !environment?.agents.includes("remote")) return serving;
  const { graders } = await readServing(context, id, true);
  return { ...serving, graders };
}

/** Whether a submission waits in the queue of sessions, as its job does: a remote agent's, or a replay. */
export const waitsAsSession = ({
  input_kind,
  function: name,
}: Pick<SubmissionRow, "input_kind" | "function">): boolean => input_kind === "session" || name === REPLAY;

const servingOf = ({ graders }: ServingSources, challenge: string, ofSessions: boolean) =>
  ofSessions ? graders.servingSessions(challenge) : graders.serving(challenge);

/** Formats a time as `14:02 UTC`, with the date when it is not today. */
export function utcTime(time: Date, now: Date): string {
  const [day, clock] = iso(time).split("T") as [string, string];
  const short = `${clock.slice(0, 5)} UTC`;
  return iso(now).startsWith(day) ? short : `${day} ${short}`;
}
