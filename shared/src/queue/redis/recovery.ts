import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Recovery } from "../job-queue.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import { CHECK_EPOCH, END_REBUILD, KNOWN, RENEW_REBUILD } from "./recovery-scripts.ts";
import { runScript } from "./script.ts";

const CHECK_MS = 1000;
/** After this another broker takes over a rebuild whose broker gave no sign. */
const TAKEOVER_MS = 15_000;

const REASONS: Record<string, string> = {
  flushed: "the queue lost its contents",
  restarted: "the queue was restarted",
};

/**
 * Has the queue rebuilt from the records when it may have lost something, by one broker at a time. `settleMs` is how long graders
 * need to tell again what they have in hand.
 */
export async function watchForLoss(options: {
  link: ReconnectingConnection;
  base: string;
  log: QueueLog;
  settleMs: number;
  recovery: Recovery;
  stopping: AbortSignal;
}): Promise<void> {
  const { link, base, log, settleMs, recovery, stopping } = options;
  const me = randomUUID();
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping }).catch(() => {});

  const check = async () =>
    (await link.use((client) => runScript(client, base, CHECK_EPOCH, [me, TAKEOVER_MS]))) as [
      state: string,
      run: string,
      mine: 0 | 1,
    ];

  async function known(submissions: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await link.use((client) => runScript(client, base, KNOWN, submissions))) as string[]);
  }

  async function rebuild(state: string, run: string): Promise<void> {
    const reason = REASONS[state] ?? state;
    log.warn({}, `${reason}; rebuilding it from the records`);
    // The turn to rebuild is kept while it lasts.
    const keep = setInterval(() => {
      link.use((client) => runScript(client, base, RENEW_REBUILD, [me, TAKEOVER_MS])).catch(() => {});
    }, TAKEOVER_MS / 5);
    try {
      await recovery.republish(reason);
      await pause(settleMs);
      if (stopping.aborted) return;
      await recovery.restart(reason, known);
    } finally {
      clearInterval(keep);
    }
    const ended = await link.use((client) => runScript(client, base, END_REBUILD, [me, run]));
    log.info({}, ended === 1 ? "the queue is rebuilt" : "something was lost during the rebuild; once more");
  }

  while (!stopping.aborted)
    try {
      const [state, run, mine] = await check();
      if (mine) await rebuild(state, run);
      else await pause(CHECK_MS);
    } catch (error) {
      if (link.connected && !stopping.aborted)
        log.warn({ err: error }, "the queue could not be checked or rebuilt; trying again");
      await pause(CHECK_MS);
    }
}
