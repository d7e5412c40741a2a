import type { AgentAnswer, AgentRequest } from "@crowdai/shared";
import type { ServedSession, SessionReply, StepChannel } from "@crowdai/shared/step-channel";
import { RunFailure } from "../run/run-failure.ts";
import { createDeadline } from "./deadline.ts";
import type { Session } from "./session.ts";

export interface RemoteAgent {
  /** The submission. */
  id: string;
  deterministic: boolean;
  /** How long a finished session waits for the agent's submit. */
  idleMs: number;
  signal: AbortSignal;
}

/** After this time, a grader whose job was given to another one knows it. */
const TAKE_AGAIN_MS = 3000;

/**
 * Serves a session to an agent that is connected to a broker, until it submits. What another grader recorded
 * of the session is done again first. Throws a RunFailure when the session ends early, and the reason of the
 * signal on abort.
 */
export async function playRemote(
  agent: RemoteAgent,
  steps: StepChannel,
  openSession: () => Promise<Session>,
): Promise<Session> {
  for (;;) {
    const session = await playUntilLost(agent, steps, openSession);
    if (session) return session;
    // The job may still be this grader's: one that was frozen before it served the session took it over
    // without the right to.
    await pause(TAKE_AGAIN_MS, agent.signal);
  }
}

/** Rejects with the reason of the signal on abort. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Resolves to null when another grader took the session over. */
async function playUntilLost(
  agent: RemoteAgent,
  steps: StepChannel,
  openSession: () => Promise<Session>,
): Promise<Session | null> {
  agent.signal.throwIfAborted();
  const opened = Promise.withResolvers<Answer>();
  opened.promise.catch(() => {});
  // Before the journal is read: an earlier grader that still runs adds nothing to it from then on.
  await using serving = await steps.serve(agent.id, async (request) => (await opened.promise)(request));
  const signal = AbortSignal.any([agent.signal, serving.lost]);
  try {
    const journal = await steps.journal(agent.id);
    if (journal.length > 0 && !agent.deterministic)
      throw new RunFailure(
        "session_lost",
        "The grader of the session was lost, and the environment cannot repeat its steps.",
      );
    const session = await openSession();
    if (journal.length > 0) await session.playAgain(journal, { resumes: true });
    signal.throwIfAborted();
    const { reachableSince } = serving;
    await answerRequests(session, { ...agent, signal, reachableSince }, opened.resolve);
    agent.signal.throwIfAborted();
    return session;
  } catch (error) {
    opened.reject(error);
    // Both may be aborted, in any order: a grader whose job was given away is not to serve the session again.
    agent.signal.throwIfAborted();
    if (serving.lost.aborted) return null;
    throw error;
  }
}

type Answer = (request: AgentRequest) => Promise<SessionReply>;

/** Calls `begin` with what answers the requests of a session. Resolves when the agent has submitted. */
async function answerRequests(
  session: Session,
  { idleMs, signal, reachableSince }: RemoteAgent & Pick<ServedSession, "reachableSince">,
  begin: (answer: Answer) => void,
): Promise<void> {
  const { referee } = session;
  const over = Promise.withResolvers<void>();
  let failure: unknown = null;
  const fail = (found: unknown) => {
    failure ??= found;
    over.reject(failure);
  };
  const abort = () => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const due = () => {
    referee.excuseSilence(reachableSince());
    return referee.isDone() ? referee.answeredAt() + idleMs : referee.deadline();
  };
  using deadline = createDeadline(() => {
    if (performance.now() < due()) waits();
    else if (referee.isDone()) over.resolve();
    else fail(referee.late());
  });
  const waits = () => deadline.set(due());

  async function answer(request: AgentRequest): Promise<SessionReply> {
    // The broker answers when it has the verdict.
    if (failure !== null) throw failure;
    deadline.set(Number.POSITIVE_INFINITY);
    referee.excuseSilence(reachableSince());
    try {
      const { answer, record } = await session.answer(request);
      const entry = record?.();
      const found = referee.failure();
      if (found) fail(found);
      else if (session.submitted()) over.resolve();
      else waits();
      return entry ? { answer, entry } : { answer };
    } catch (error) {
      fail(error);
      if (!(error instanceof RunFailure)) throw error;
      return { answer: refusal(error) };
    }
  }

  try {
    referee.restartClocks();
    waits();
    begin(answer);
    if (session.submitted()) over.resolve();
    await over.promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

const refusal = ({ code, message }: RunFailure): AgentAnswer => ({ type: "error", code, message });
