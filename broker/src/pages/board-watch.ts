import { sql } from "kysely";
import type { SubmissionContext } from "../submissions/context.ts";

const LOOK_MS = 300;

/**
 * Says when a challenge's boards have moved, at whichever broker. One look at the records serves all who wait for a challenge, and
 * nobody looks when nobody waits.
 */
export function createBoardWatch(context: () => Pick<SubmissionContext, "records" | "log">) {
  const watched = new Map<string, { version: string; waiting: Set<(version: string) => void> }>();
  let timer: NodeJS.Timeout | null = null;

  async function readVersion(challenge: string): Promise<string> {
    const { version } = await context()
      .records.db.selectFrom("board_rounds")
      .select(sql<number | null>`sum(version)`.as("version"))
      .where("challenge", "=", challenge)
      .executeTakeFirstOrThrow();
    return String(version ?? 0);
  }

  async function look(): Promise<void> {
    for (const [challenge, seen] of watched) {
      const version = await readVersion(challenge);
      if (version === seen.version) continue;
      seen.version = version;
      for (const tell of seen.waiting) tell(version);
    }
  }

  function lookAgain(): void {
    if (timer || watched.size === 0) return;
    timer = setTimeout(async () => {
      await look().catch((error) => context().log.warn({ err: error }, "boards not looked at"));
      timer = null;
      lookAgain();
    }, LOOK_MS);
    timer.unref();
  }

  return {
    readVersion,
    /** Calls `tell` at each change until the signal ends. */
    follow(challenge: string, version: string, tell: (version: string) => void, signal: AbortSignal): void {
      if (signal.aborted) return;
      const seen = watched.get(challenge) ?? { version, waiting: new Set() };
      watched.set(challenge, seen);
      seen.waiting.add(tell);
      // Who came with an older one has missed something.
      if (seen.version !== version) tell(seen.version);
      signal.addEventListener("abort", () => {
        seen.waiting.delete(tell);
        if (seen.waiting.size === 0 && watched.get(challenge) === seen) watched.delete(challenge);
      });
      lookAgain();
    },
  };
}
export type BoardWatch = ReturnType<typeof createBoardWatch>;
