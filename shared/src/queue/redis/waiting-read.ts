import type { Redis } from "ioredis";
import { type Client, createLink } from "./link.ts";

/** How long a read blocks: also how soon a job handed back, or a challenge newly served, is noticed by an idle grader. */
export const BLOCK_MS = 500;
/** A little longer than the read: after that the connection is taken for dead. */
const WATCHDOG_MS = BLOCK_MS + 1500;

/** Waits for new entries on a connection of its own, for everything else would wait behind it. */
export interface WaitingRead {
  /** Challenge and entry of at most one new job for each challenge. They are the consumer's now. Rejects when Redis is away. */
  next(challenges: readonly string[]): Promise<[challenge: string, id: string][]>;
  close(): void;
}

export function createWaitingRead(redis: () => Client, base: string, consumer: string): WaitingRead {
  const link = createLink({ redis });
  const prefix = `${base}:jobs:`;
  return {
    async next(challenges) {
      const streams = challenges.map((challenge) => prefix + challenge);
      const news = challenges.map(() => ">");
      const reply = (await link.use(
        (client) =>
          (client as Redis).xreadgroup(
            ...(["GROUP", "graders", consumer, "COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS"] as const),
            ...streams,
            ...news,
          ),
        WATCHDOG_MS,
      )) as [stream: string, entries: [id: string, fields: string[]][]][] | null;
      return (reply ?? []).flatMap(([stream, entries]) =>
        entries.map(([id]): [string, string] => [stream.slice(prefix.length), id]),
      );
    },
    close: link.close,
  };
}
