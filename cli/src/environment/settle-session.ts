import type { Submission } from "@crowdai/shared";
import { pause } from "../async/abort.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";

const CANCEL_MS = 5_000;
const AGAIN_MS = 200;

/**
 * Ends the session of an agent that has exited: submits it after its last episode, and waits for its end.
 * Resolves to "left" if episodes are left, or if it waits for a grader and no agent has played.
 */
export async function settleSession(
  session: BrokerSession,
  id: string,
  { ended, hasPlayed, signal }: { ended: Promise<Submission>; hasPlayed: () => boolean; signal: AbortSignal },
): Promise<Submission | "left"> {
  const asking = async () => {
    for (;;) {
      const answer = await session.askEnvironment(id, { type: "submit" }, { signal });
      if (answer.type === "end") return ended;
      if (answer.type === "error" || !hasPlayed()) return "left";
      await pause(AGAIN_MS, signal);
    }
  };
  // A session that has failed answers with its error, which its submission has too.
  return Promise.race([ended, asking().catch(() => ended)]);
}

/** Cancels a session. Returns null if the broker does not answer, or the session has ended. */
export async function cancelSession(session: BrokerSession, id: string): Promise<Submission | null> {
  return session.cancel(id, AbortSignal.timeout(CANCEL_MS)).catch(() => null);
}
