import type { AgentAnswer, AgentRequest } from "@crowdai/shared";
import type { SessionReply, StepChannel } from "@crowdai/shared/step-channel";
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

/**
 * Serves a session to an agent that is connected to a broker, until it submits. What another grader recorded of the session is done
 * again first. Throws a RunFailure when the session ends early, and the reason of the signal on abort.
 */
export async function playRemote(
  { id, deterministic, idleMs, signal }: RemoteAgent,
  steps: StepChannel,
  openSession: () => Promise<Session>,
): Promise<Session> {
  const journal = await steps.journal(id);
  if (journal.length > 0 && !deterministic)
    throw new RunFailure(
      "session_lost",
      "The grader of the session was lost, and the environment cannot repeat its steps.",
    );
  const session = await openSession();
  const { referee } = session;
  if (journal.length > 0) await session.playAgain(journal, { resumes: true });
  signal.throwIfAborted();

  const over = Promise.withResolvers<void>();
  // It is awaited later, when the session is served.
  over.promise.catch(() => {});
  let failure: unknown = null;
  const fail = (found: unknown) => {
    failure ??= found;
    over.reject(failure);
  };
  const abort = () => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  using deadline = createDeadline(() => (referee.isDone() ? over.resolve() : fail(referee.late())));
  const waits = () => deadline.set(referee.isDone() ? performance.now() + idleMs : referee.deadline());

  async function answer(request: AgentRequest): Promise<SessionReply> {
    // The broker answers when it has the verdict.
    if (failure !== null) throw failure;
    deadline.set(Number.POSITIVE_INFINITY);
    try {
      const { answer, entry } = await session.answer(request);
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
    await using _serving = await steps.serve(id, answer);
    referee.restartClocks();
    waits();
    await over.promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  signal.throwIfAborted();
  return session;
}

const refusal = ({ code, message }: RunFailure): AgentAnswer => ({ type: "error", code, message });
