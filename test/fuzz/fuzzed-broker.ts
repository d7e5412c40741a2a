import { catalog, createSubmissionId, type ErrorCode } from "@crowdai/shared";
import { pino } from "pino";
import { expect } from "vitest";
import { addOrganizer } from "../../broker/src/domain/participants/api-keys.ts";
import type { Known } from "../../broker/test/hostile-requests/hostile-request.ts";
import { createPageClient } from "../../broker/test/pages/page-client.ts";
import { startBroker, type TestBroker, untilEnd } from "../../broker/test/support/test-broker.ts";
import { IS_LONG } from "./runs.ts";

const ADMIN_KEY = "admin-key-of-the-webapp-api-0123456789";
/** Longer than any answer takes on a busy machine. */
export const ANSWER_MS = 30_000;
/** The memory that a process may hold more after thousands of inputs: caches that have a limit. */
const MAX_GROWTH_BYTES = 24 * 1024 * 1024;

interface LogLine {
  level: number;
  event?: string;
  msg: string;
  err?: { stack?: string };
}

export interface FuzzedBroker {
  test: TestBroker;
  known: Known;
  /** Rejects when the broker logged an error meanwhile, or did not answer. */
  unharmed<T>(work: () => Promise<T>): Promise<T>;
  /** A good submission is graded, and nothing is said to be broken. */
  grades(): Promise<void>;
  /**
   * Memory does not grow with the number of inputs. Costs several times `work`; without a long run, does
   * nothing.
   */
  staysSmall(work: (count: number) => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a broker with a participant, an organizer, a page session and some submissions, whose errors are
 * noticed.
 */
export async function startFuzzedBroker(
  options: Parameters<typeof startBroker>[0] = {},
): Promise<FuzzedBroker> {
  const errors: LogLine[] = [];
  const write = (line: string) => {
    const read = JSON.parse(line) as LogLine;
    if (read.level >= 50) errors.push(read);
  };
  const test = await startBroker({
    log: pino({ level: "error" }, { write }),
    ...options,
    env: { WEBAPP_TOKEN: ADMIN_KEY, ...options.env },
  });
  const client = await test.connect();
  const input = { kind: "file" as const, name: "a.csv", size: 3, sha256: "0".repeat(64) };
  const file = await client.submit({ input });
  const value = await client.submit({ input: { kind: "inline", data: { score: 1 } } });
  client.socket.disconnect();
  const organizer = await addOrganizer(test.records, "org", ["test"], new Date().toISOString());
  const page = createPageClient(test);
  await page.signIn(test.key);
  const good = await test.addParticipant("good");
  const known: Known = {
    names: [file.submission.id, value.submission.id, "test", "ada", "1", "2"],
    keys: [test.key, organizer, ADMIN_KEY],
    signed: (file.upload?.parts ?? []).map(({ url }) => url.slice(test.broker.url.length)),
    cookie: [...page.cookies].map(([name, text]) => `${name}=${text}`).join("; "),
    formToken: await page.token(),
  };

  return {
    test,
    known,
    async unharmed(work) {
      const before = errors.length;
      const answer = await within(ANSWER_MS, work());
      expect(errors.slice(before)).toEqual([]);
      return answer;
    },
    async grades() {
      const { ask, socket } = await test.connect({ key: good });
      const id = createSubmissionId();
      await ask("submit", { id, challenge: "test", input: { kind: "inline", data: { score: 0.5 } } });
      const events = await within(ANSWER_MS, untilEnd({ ask, socket } as never, id));
      expect(events.at(-1)).toMatchObject({ type: "graded" });
      socket.disconnect();
      expect((await test.fetch("/readyz")).status).toBe(200);
    },
    async staysSmall(work) {
      if (!IS_LONG) return;
      await work(400);
      const before = await heapBytes();
      await work(2000);
      expect((await heapBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
    },
    close: () => test.close(),
  };
}

/** An answer of 500 and above is the broker's: it must be one that the catalog lists. */
export function isCatalogued(status: number, body: string): boolean {
  if (status < 500) return true;
  try {
    const { code } = (JSON.parse(body) as { error: { code: ErrorCode } }).error;
    return code !== "unexpected" && catalog[code].http === status;
  } catch {
    return false;
  }
}

export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function heapBytes(): Promise<number> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}
