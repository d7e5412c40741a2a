import { randomUUID } from "node:crypto";
import { markedStep } from "../../marked-steps.ts";
import type { Recovery } from "../job-queue.ts";
import { pause } from "../pause.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import { CHECK_EPOCH, END_REBUILD, KNOWN, RENEW_REBUILD } from "./recovery-scripts.ts";
import { runScript } from "./script.ts";

const CHECK_MS = 1000;
/** After this time, another broker takes over the rebuild of a silent broker. */
const TAKEOVER_MS = 15_000;

const REASONS: Record<string, string> = {
  flushed: "the queue lost its contents",
  restarted: "the queue was restarted",
};

/**
 * Rebuilds the queue from the records when it may have lost jobs, in one broker at a time. `settleMs` is how
 * long graders need to report their running jobs again.
 */
export async function watchForLoss(options: {
  connection: ReconnectingConnection;
  base: string;
  log: QueueLog;
  settleMs: number;
  recovery: Recovery;
  stopping: AbortSignal;
}): Promise<void> {
  const { connection, base, log, settleMs, recovery, stopping } = options;
  const me = randomUUID();

  const check = async () =>
    (await connection.use((client) => runScript(client, base, CHECK_EPOCH, [me, TAKEOVER_MS]))) as [
      state: string,
      run: string,
      mine: 0 | 1,
    ];

  async function known(submissions: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(
      (await connection.use((client) => runScript(client, base, KNOWN, submissions))) as string[],
    );
  }

  async function rebuild(state: string, run: string): Promise<void> {
    const reason = REASONS[state] ?? state;
    log.warn({ event: "queue_rebuild_started", reason }, `queue rebuild started: ${reason}`);
    // Renews the lock during the rebuild.
    const keep = setInterval(() => {
      connection.use((client) => runScript(client, base, RENEW_REBUILD, [me, TAKEOVER_MS])).catch(() => {});
    }, TAKEOVER_MS / 5);
    try {
      await recovery.republish(reason);
      await pause(settleMs, stopping);
      if (stopping.aborted) return;
      await recovery.restart(reason, known);
    } finally {
      clearInterval(keep);
    }
    const ended = await markedStep("queue.end-rebuild", () =>
      connection.use((client) => runScript(client, base, END_REBUILD, [me, run])),
    );
    if (ended === 1) log.info({ event: "queue_rebuilt" }, "queue rebuilt");
    else log.warn({ event: "queue_rebuild_repeated" }, "queue lost jobs during its rebuild, repeating it");
  }

  while (!stopping.aborted)
    try {
      const [state, run, mine] = await check();
      if (mine) await rebuild(state, run);
      else await pause(CHECK_MS, stopping);
    } catch (error) {
      if (connection.connected && !stopping.aborted)
        log.warn({ event: "queue_rebuild_failed", err: error }, "queue check or rebuild failed, retrying");
      await pause(CHECK_MS, stopping);
    }
}
