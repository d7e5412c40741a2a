import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError, quoted, suggest } from "@crowdai/shared";
import { pino } from "pino";
import { type Broker, createBroker } from "../broker.ts";
import { openCatalogue } from "../challenges/catalogue.ts";
import type { BrokerConfig } from "../config.ts";
import { lockDataFolder } from "../records/data-lock.ts";
import type { Db, Records } from "../records/records.ts";
import { startRegrade } from "./start-regrade.ts";
import { type RegradeStatus, readRegrade } from "./status.ts";

const LOOK_MS = 200;

export interface RunRegrade {
  records: Records;
  config: BrokerConfig;
  challenge: string;
  /** False to begin it only; a broker then does it. */
  wait: boolean;
  /** Aborted to stop waiting; the regrade goes on. */
  signal: AbortSignal;
  onProgress(status: RegradeStatus): void;
}

/**
 * Regrades a challenge and waits for the end. A broker that uses the same data does the work; where none runs, one is started in
 * this process for as long as it takes. Resolves with what became of it, unfinished when the signal was aborted.
 */
export async function runRegrade(options: RunRegrade): Promise<RegradeStatus> {
  const { records, config, challenge } = options;
  const isAlone = !config.redisUrl && isFree(config.dataFolder);
  await requireChallenge(records, config, challenge, isAlone);
  const { id } = await startRegrade(records, challenge, new Date());
  if (!options.wait) return (await readRegrade(records.db, { id })) as RegradeStatus;
  const broker = isAlone ? await startOwnBroker(config) : null;
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
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** A broker in this process, which nobody knows the address of. */
async function startOwnBroker(config: BrokerConfig): Promise<Broker> {
  const own = { ...config, host: "127.0.0.1", port: 0, withGrader: true };
  return createBroker({ config: own, log: pino({ level: config.logLevel }, pino.destination(2)) });
}

function isFree(dataFolder: string): boolean {
  try {
    lockDataFolder(dataFolder).release();
    return true;
  } catch (error) {
    if (error instanceof CrowdaiError && error.code === "data_in_use") return false;
    throw error;
  }
}

/** A broker elsewhere may have a folder that is not here; then the challenge is known by its submissions. */
async function requireChallenge(
  records: Records,
  config: BrokerConfig,
  challenge: string,
  isAlone: boolean,
): Promise<void> {
  const catalogue = await openCatalogue(config.challengesFolder, records);
  const submitted = isAlone ? [] : await challengesWithSubmissions(records.db);
  const known = new Set([...catalogue.all().keys(), ...submitted]);
  if (known.has(challenge)) return;
  const suggestion = suggest(challenge, [...known]);
  throw new CrowdaiError(
    "challenge_unknown",
    `There is no challenge ${quoted(challenge)} here${suggestion ? `; did you mean "${suggestion}"?` : "."}`,
    { next: "Name its folder's parent with --challenges, or add it with `crowdai-broker challenge add`." },
  );
}

async function challengesWithSubmissions(db: Db): Promise<string[]> {
  const rows = await db.selectFrom("submissions").select("challenge").distinct().execute();
  return rows.map(({ challenge }) => challenge);
}
