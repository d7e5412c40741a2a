import { CrowdaiError, quoted, suggest } from "@crowdai/shared";
import { pino } from "pino";
import type { BrokerConfig } from "../base/config.ts";
import { openCatalog } from "../domain/challenges/catalog.ts";
import { lockDataFolder } from "../records/data-lock.ts";
import type { Db, Records } from "../records/records.ts";
import type { Broker } from "../startup/broker.ts";

// Helpers of commands that change records and need a broker to act on them, which may be running here,
// elsewhere, or not at all.

/** Starts a broker in this process, on a free port that is announced to no one. */
export async function startTemporaryBroker(config: BrokerConfig): Promise<Broker> {
  const { createBroker } = await import("../startup/broker.ts");
  const own = { ...config, host: "127.0.0.1", port: 0 };
  return createBroker({ config: own, log: pino({ level: config.logLevel }, pino.destination(2)) });
}

/** Returns whether no broker uses this data folder. */
export function isFree(dataFolder: string): boolean {
  try {
    lockDataFolder(dataFolder).release();
    return true;
  } catch (error) {
    if (error instanceof CrowdaiError && error.code === "data_in_use") return false;
    throw error;
  }
}

/**
 * Throws challenge_unknown. A broker elsewhere may serve a folder that is not here: its challenge is then
 * known by its submissions.
 */
export async function requireServedChallenge(
  records: Records,
  config: BrokerConfig,
  challenge: string,
  isAlone: boolean,
): Promise<void> {
  const catalog = await openCatalog(config.challengesFolder, records);
  const submitted = isAlone ? [] : await challengesWithSubmissions(records.db);
  const known = new Set([...catalog.all().keys(), ...submitted]);
  if (known.has(challenge)) return;
  const suggestion = suggest(challenge, [...known]);
  throw new CrowdaiError(
    "challenge_unknown",
    `There is no challenge ${quoted(challenge)} here${suggestion ? `; did you mean "${suggestion}"?` : "."}`,
    {
      next: "Pass the folder that contains it with --challenges, or add it with `crowdai-broker challenge add`.",
    },
  );
}

async function challengesWithSubmissions(db: Db): Promise<string[]> {
  const rows = await db.selectFrom("submissions").select("challenge").distinct().execute();
  return rows.map(({ challenge }) => challenge);
}
