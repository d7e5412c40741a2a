import { setTimeout as sleep } from "node:timers/promises";
import type { BrokerConfig } from "../base/config.ts";
import { type RegradeStatus, readRegrade } from "../domain/regrade/regrade-status.ts";
import { startRegrade } from "../domain/regrade/start-regrade.ts";
import type { Records } from "../records/records.ts";
import { isFree, requireServedChallenge, startTemporaryBroker } from "./temporary-broker.ts";

const POLL_MS = 200;

export interface RunRegrade {
  records: Records;
  config: BrokerConfig;
  challenge: string;
  /** False to only start it; a broker then does the work. */
  wait: boolean;
  /** Aborted to stop waiting; the regrade continues. */
  signal: AbortSignal;
  onProgress(status: RegradeStatus): void;
}

/**
 * Regrades a challenge and waits for the end. A broker that uses the same data does the work; when none is
 * running, a temporary one starts in this process. Resolves with the regrade's status, which is unfinished
 * when the signal was aborted.
 */
export async function runRegrade(options: RunRegrade): Promise<RegradeStatus> {
  const { records, config, challenge } = options;
  const isAlone = !config.redisUrl && isFree(config.dataFolder);
  await requireServedChallenge(records, config, challenge, isAlone);
  const { id } = await startRegrade(records, challenge, new Date());
  if (!options.wait) return (await readRegrade(records.db, { id })) as RegradeStatus;
  const broker = isAlone ? await startTemporaryBroker({ ...config, withGrader: true }) : null;
  try {
    return await untilDone(id, options);
  } finally {
    await broker?.stop();
  }
}

async function untilDone(id: number, { records, signal, onProgress }: RunRegrade): Promise<RegradeStatus> {
  for (;;) {
    const status = (await readRegrade(records.db, { id })) as RegradeStatus;
    onProgress(status);
    if (status.state !== "running" || signal.aborted) return status;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
