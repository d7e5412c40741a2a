import type { BoardMoved } from "@crowdai/shared";
import type { Logger } from "pino";
import type { Db } from "../../records/records.ts";

const POLL_MS = 250;
const PAUSE_MS = 1000;

export interface BoardWatch {
  /**
   * Calls the listener after every change to a challenge's boards, whichever broker made it, at most once a
   * second for each round. Resolves with their current versions.
   */
  watch(
    challenge: string,
    listener: (moved: BoardMoved) => void,
  ): Promise<{ now: BoardMoved[]; stop(): void }>;
  /** Number of active watches. */
  watching(): number;
  close(): void;
}

/** Polls the records for the boards' versions: once for all watches, and not at all while there are none. */
export function createBoardWatch({ db, log }: { db: Db; log: Logger }): BoardWatch {
  const listeners = new Map<string, Set<(moved: BoardMoved) => void>>();
  const known = new Map<string, BoardMoved>();
  const lastSent = new Map<string, { version: number; at: number }>();
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | null = null;
  let watching = 0;
  let isKnown = false;

  async function poll(): Promise<void> {
    const rows = await db.selectFrom("board_rounds").select(["challenge", "round", "version"]).execute();
    const now = performance.now();
    const isFirst = !isKnown;
    isKnown = true;
    for (const row of rows) {
      const name = JSON.stringify([row.challenge, row.round]);
      known.set(name, row);
      const last = lastSent.get(name);
      if (!last && isFirst) lastSent.set(name, { version: row.version, at: 0 });
      // A board without `last` has just had its first entry.
      else if (!last || (last.version !== row.version && now - last.at >= PAUSE_MS)) {
        lastSent.set(name, { version: row.version, at: now });
        for (const listener of listeners.get(row.challenge) ?? []) listener({ ...row });
      }
    }
  }

  /** One poll at a time; calls during a poll share it. */
  const pollOnce = () => {
    polling ??= poll().finally(() => {
      polling = null;
    });
    return polling;
  };
  const recheck = () =>
    void pollOnce().catch((error) =>
      log.warn({ event: "board_poll_failed", err: error }, "polling the boards failed"),
    );

  return {
    async watch(challenge, listener) {
      const mine = listeners.get(challenge) ?? new Set();
      listeners.set(challenge, mine.add(listener));
      watching += 1;
      const stop = () => {
        if (!mine.delete(listener)) return;
        watching -= 1;
        if (mine.size === 0 && listeners.get(challenge) === mine) listeners.delete(challenge);
        if (watching > 0) return;
        clearInterval(timer);
        timer = undefined;
        isKnown = false;
        known.clear();
        lastSent.clear();
      };
      if (!timer) {
        timer = setInterval(recheck, POLL_MS);
        timer.unref();
      }
      try {
        if (!isKnown) await pollOnce();
      } catch (error) {
        stop();
        throw error;
      }
      return { now: [...known.values()].filter((board) => board.challenge === challenge), stop };
    },
    watching: () => watching,
    close() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}
