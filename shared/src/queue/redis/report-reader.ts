import { randomUUID } from "node:crypto";
import { markedStep } from "../../marked-steps.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { type Report, reportSchema } from "../../protocol/job.ts";
import { pause } from "../pause.ts";
import type { QueueLog } from "./queue-log.ts";
import {
  type Client,
  createReconnectingConnection,
  type ReconnectingConnection,
} from "./reconnecting-connection.ts";
import { createReportApplier, type ReportApplier } from "./report-applier.ts";
import { READ_REPORTS, STOP_READING } from "./report-scripts.ts";
import { runScript } from "./script.ts";

const READER_LEASE_MS = 5000;
const RENEW_MS = 1000;
const BLOCK_MS = 500;
const WATCHDOG_MS = BLOCK_MS + 1500;
const RETRY_MS = 200;
/** The most reports read before they are applied. */
const MAX_READ_AHEAD = 1000;
/** A reader that cannot apply reports for this long lets another broker try. */
const GIVE_UP_MS = 3000;

type Entry = [id: string, fields: [s: "s", submission: string, r: "r", report: string]];

/**
 * Applies reports while this process is their reader. A lease ensures that only one process is, so that
 * reports are applied in order; another one takes over when it is gone or cannot apply reports. Applied
 * reports are deleted, and the next reader reads the others again.
 */
export async function readReports(options: {
  redis: () => Client;
  connection: ReconnectingConnection;
  base: string;
  log: QueueLog;
  apply: (report: Report) => Promise<void>;
  stopping: AbortSignal;
}): Promise<void> {
  const { connection, base, log, stopping } = options;
  const me = randomUUID();
  const key = `${base}:reports`;
  const reading = createReconnectingConnection({ redis: options.redis });
  // A read may be interrupted: its reports belong to no process until they are applied.
  stopping.addEventListener("abort", () => reading.close(), { once: true });
  const applier: ReportApplier = createReportApplier({
    apply: options.apply,
    log,
    onApplied: () => sweepSoon(),
  });
  let leaseEnd = 0;

  async function renew(): Promise<boolean> {
    const asked = performance.now();
    const mine = await connection.use((client) =>
      runScript(client, base, READ_REPORTS, [me, READER_LEASE_MS]),
    );
    leaseEnd = mine === 1 ? asked + READER_LEASE_MS : 0;
    applier.hold(leaseEnd);
    return mine === 1;
  }

  async function readNext(): Promise<void> {
    const from = applier.newest() ?? "0-0";
    const reply = (await reading.use(
      (client) => client.xread("COUNT", 200, "BLOCK", BLOCK_MS, "STREAMS", key, from),
      WATCHDOG_MS,
    )) as [string, Entry[]][] | null;
    let isNew = false;
    for (const [, entries] of reply ?? [])
      for (const [id, [, , , text]] of entries) if (applier.add(id, parse(id, text))) isNew = true;
    // All of them are applied, and are returned at once until they are deleted.
    if (!isNew) await sweeping;
  }

  function parse(id: string, text: string): Report | null {
    try {
      return reportSchema.parse(parseExact(text));
    } catch (error) {
      log.error({ event: "report_invalid", entry: id, err: error }, "invalid report discarded");
      return null;
    }
  }

  async function sweep(): Promise<void> {
    const done = applier.applied();
    if (done.length === 0) return;
    await markedStep("queue.acknowledge-reports", () =>
      connection.use((client) => client.xdel(key, ...done)),
    );
    applier.forget(done);
  }

  let sweeping: Promise<void> | null = null;
  const sweepSoon = () => {
    sweeping ??= sweep()
      .catch(() => pause(RETRY_MS, stopping))
      .finally(() => {
        sweeping = null;
        if (applier.applied().length > 0 && !stopping.aborted) sweepSoon();
      });
  };

  while (!stopping.aborted)
    try {
      if (leaseEnd - performance.now() < READER_LEASE_MS - RENEW_MS && !(await renew())) {
        applier.clear();
        await pause(RENEW_MS, stopping);
      } else if (applier.failingFor() > GIVE_UP_MS) {
        applier.clear();
        await applier.idle();
        await connection.use((client) => runScript(client, base, STOP_READING, [me]));
        leaseEnd = 0;
        await pause(2 * RENEW_MS, stopping);
      } else if (applier.size() < MAX_READ_AHEAD) await readNext();
      else await applier.change(RENEW_MS);
    } catch (error) {
      if (connection.connected && reading.connected && !stopping.aborted)
        log.warn({ event: "report_read_failed", err: error }, "report read failed, retrying");
      await pause(RETRY_MS, stopping);
    }

  applier.clear();
  // The caller may close the records only when the outcome of every write is known.
  await applier.idle();
  await sweeping;
  await sweep().catch(() => {});
  await connection.use((client) => runScript(client, base, STOP_READING, [me])).catch(() => {});
  reading.close();
}
