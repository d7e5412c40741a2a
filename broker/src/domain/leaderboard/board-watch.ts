import { type BoardMoved, CrowdaiError } from "@crowdai/shared";
import type { Logger } from "pino";
import { networkOf } from "../../base/client-address.ts";
import type { Db } from "../../records/records.ts";
import type { Caller } from "../participants/api-keys.ts";

const POLL_MS = 250;
const PAUSE_MS = 1000;

/**
 * Watches at once: of all clients, of one key, and of one address without a key, which may be that of a whole
 * school.
 */
const MAX_WATCHES = 20_000;
const MAX_OF_KEY = 200;
const MAX_OF_ADDRESS = 1000;

/** A client that watches: the name counts its watches. */
export interface BoardWatcher {
  name: string;
  hasKey: boolean;
}

/**
 * Names the client by its key or, without one, by its address. Addresses of one IPv6 network are one client.
 */
export function watcherOf(caller: Pick<Caller, "kind" | "id"> | null, address: string): BoardWatcher {
  if (caller) return { name: `${caller.kind} ${caller.id}`, hasKey: true };
  return { name: networkOf(address), hasKey: false };
}

export interface BoardWatch {
  /**
   * Calls the listener after every change to a challenge's boards, whichever broker made it, at most once a
   * second for each round. Resolves with their current versions. Throws too_many_requests when this client,
   * or all together, watch too many.
   */
  watch(
    challenge: string,
    watcher: BoardWatcher,
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
  const watchesOf = new Map<string, number>();
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

  function count({ name }: BoardWatcher, change: 1 | -1): void {
    watching += change;
    const left = (watchesOf.get(name) ?? 0) + change;
    if (left > 0) watchesOf.set(name, left);
    else watchesOf.delete(name);
  }

  function requirePlace({ name, hasKey }: BoardWatcher): void {
    if ((watchesOf.get(name) ?? 0) >= (hasKey ? MAX_OF_KEY : MAX_OF_ADDRESS))
      throw new CrowdaiError(
        "too_many_requests",
        `Your ${hasKey ? "key" : "address"} watches too many leaderboards.`,
        {
          next: "Close some of these connections.",
        },
      );
    if (watching >= MAX_WATCHES)
      throw new CrowdaiError(
        "too_many_requests",
        "Too many clients are watching leaderboards on this broker.",
      );
  }

  return {
    async watch(challenge, watcher, listener) {
      requirePlace(watcher);
      const mine = listeners.get(challenge) ?? new Set();
      listeners.set(challenge, mine.add(listener));
      count(watcher, 1);
      const stop = () => {
        if (!mine.delete(listener)) return;
        count(watcher, -1);
        if (mine.size === 0) listeners.delete(challenge);
        if (watching > 0) return;
        clearInterval(timer);
        timer = undefined;
        isKnown = false;
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
