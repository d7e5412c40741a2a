import {
  type AgentAnswer,
  type AgentRequest,
  CrowdaiError,
  isFinal,
  isLastEvent,
  type SessionAnswer,
  type SubmissionEvent,
} from "@crowdai/shared";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { SubmissionRow } from "../../records/tables.ts";
import { type QueueStatusSources, readWaiting } from "../graders/queue-status.ts";
import type { Caller } from "../participants/api-keys.ts";
import { submissionUnknown, submissionWithId } from "../submissions/find-submission.ts";
import type { Needs } from "../submissions/services.ts";
import { createPendingRequests, type PendingRequests } from "./pending-requests.ts";

/** How long a submission is known to be open without another look into the records. */
const FRESH_MS = 1000;
/** How often the records are asked for sessions that ended without an announcement. */
const CHECK_MS = 2000;
/** How often a session is asked whose agent connects again and again. */
const TOUCH_MS = 1000;
const TOUCH_TIMEOUT_MS = 5000;
/** How long a session without requests is remembered. */
const FORGOTTEN_MS = 60_000;

/** The services that a session needs besides the records: the channel to its grader. */
export type RemoteAgentNeeds = QueueStatusSources & Needs<"records" | "log">;

/** Passes the requests of remote agents to their sessions, whatever the transport. */
export interface RemoteAgents {
  /**
   * Resolves with the answer of the session; null when there is none after `waitMs`, or the signal is
   * aborted. Ask again then: the request is not sent twice. Throws submission_unknown unless the session is
   * the participant's own, and the submission's own error once it has ended without a grade.
   */
  ask(
    participant: Pick<Caller, "id">,
    id: string,
    request: AgentRequest,
    waitMs: number,
    gone?: AbortSignal,
  ): Promise<AgentAnswer | null>;
  /** Returns why a session has no answer yet. */
  waiting(id: string): Promise<SessionAnswer>;
  /** Whether an agent waits here for an answer of this session. */
  isAsked(id: string): boolean;
  /**
   * Called when a participant connects: graders of the open sessions are asked something, because an agent
   * whose connections break before it can ask is not silent.
   */
  connected(participant: Pick<Caller, "id">): void;
  /** Ends the sessions whose submissions have ended. */
  heard(events: readonly SubmissionEvent[]): void;
  close(): void;
}

interface KnownSession {
  participantId: number;
  checkedAt: number;
  touchedAt: number;
  requests: PendingRequests;
}

const ENDED = new CrowdaiError("interrupted", "The session has ended.");

/**
 * Passes the requests of agents to the graders that hold their sessions, without a look into the records for
 * each step.
 */
export function createRemoteAgents(
  context: () => RemoteAgentNeeds,
  channel: StepChannel,
  monotonic: () => number = () => performance.now(),
): RemoteAgents {
  const sessions = new Map<string, KnownSession>();
  let forgotAt = monotonic();
  let closed = false;

  async function send(id: string, request: AgentRequest, signal: AbortSignal): Promise<AgentAnswer> {
    try {
      return await channel.ask(id, request, signal);
    } catch (error) {
      if (signal.reason !== ENDED) throw error;
      return endOf(await find(id));
    }
  }

  async function find(id: string): Promise<SubmissionRow> {
    const row = await submissionWithId(context().records.db, { id });
    if (!row) throw submissionUnknown(id);
    return row;
  }

  async function open({ id: participantId }: Pick<Caller, "id">, id: string): Promise<KnownSession | null> {
    const row = await find(id);
    if (row.participant_id !== participantId) throw submissionUnknown(id);
    if (row.input_kind !== "session")
      throw new CrowdaiError("usage", `${id} is not a session of a remote agent.`);
    if (isFinal(row.state)) {
      sessions.delete(id);
      return null;
    }
    const known = sessions.get(id) ?? {
      participantId,
      checkedAt: 0,
      touchedAt: Number.NEGATIVE_INFINITY,
      requests: createPendingRequests((request, signal) => send(id, request, signal)),
    };
    known.checkedAt = monotonic();
    sessions.set(id, known);
    forget();
    return known;
  }

  function forget(): void {
    const now = monotonic();
    if (now - forgotAt < FORGOTTEN_MS) return;
    forgotAt = now;
    for (const [id, { checkedAt, touchedAt, requests }] of sessions)
      if (now - Math.max(checkedAt, touchedAt) > FORGOTTEN_MS && requests.size === 0) sessions.delete(id);
  }

  function end(id: string): void {
    const known = sessions.get(id);
    sessions.delete(id);
    known?.requests.end(ENDED);
  }

  const checks = setInterval(() => {
    const ids = [...sessions].filter(([, { requests }]) => requests.size > 0).map(([id]) => id);
    endUnannounced(ids).catch((error) =>
      context().log.warn({ event: "session_check_failed", err: error }, "check for ended sessions failed"),
    );
  }, CHECK_MS);
  checks.unref();

  async function endUnannounced(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    const rows = await context()
      .records.db.selectFrom("submissions")
      .select("id")
      .where("id", "in", ids)
      .where("state", "in", ["graded", "failed", "cancelled"])
      .execute();
    for (const { id } of rows) end(id);
  }

  return {
    async ask(participant, id, request, waitMs, gone) {
      if (closed) throw new CrowdaiError("interrupted");
      const known = sessions.get(id);
      const isFresh = known?.participantId === participant.id && monotonic() - known.checkedAt < FRESH_MS;
      const session = isFresh ? known : await open(participant, id);
      return session ? session.requests.ask(request, waitMs, gone) : endOf(await find(id));
    },
    async waiting(id) {
      const row = await find(id);
      if (isFinal(row.state)) return endOf(row);
      if (row.state !== "submitted") return { type: "waiting", place: null, reason: null };
      const { place, reason } = await readWaiting(context(), context().records.db, row);
      return { type: "waiting", place, reason };
    },
    isAsked: (id) => (sessions.get(id)?.requests.size ?? 0) > 0,
    connected({ id: participantId }) {
      const now = monotonic();
      for (const [id, known] of sessions) {
        if (known.participantId !== participantId || now - known.touchedAt < TOUCH_MS) continue;
        known.touchedAt = now;
        channel.ask(id, { type: "hello" }, AbortSignal.timeout(TOUCH_TIMEOUT_MS)).catch(() => {});
      }
    },
    heard(events) {
      for (const { submission, type } of events) if (isLastEvent(type)) end(submission);
    },
    close() {
      closed = true;
      clearInterval(checks);
      for (const { requests } of sessions.values()) requests.end(new CrowdaiError("interrupted"));
    },
  };
}

/** Returns what a session answers whose submission was graded; throws the error of one that was not. */
function endOf({ state, error_code, error_message }: SubmissionRow): { type: "end" } {
  if (state === "graded") return { type: "end" };
  throw new CrowdaiError(error_code ?? "cancelled", error_message ?? undefined);
}
