import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError } from "@crowdai/shared";
import { addressAtHost } from "../background/code-hosts/open-code-host.ts";
import type { BrokerConfig } from "../base/config.ts";
import { openCatalog } from "../domain/challenges/catalog.ts";
import { type ClosedChallenge, closeChallenge, readClosed } from "../domain/publishing/close-challenge.ts";
import { repositoryPath } from "../domain/submissions/repository-name.ts";
import type { Records } from "../records/records.ts";
import { isFree, requireServedChallenge, startTemporaryBroker } from "./temporary-broker.ts";

const POLL_MS = 100;

export interface RunClose {
  records: Records;
  config: BrokerConfig;
  challenge: string;
  force: boolean;
  /** False to return once the records have it. */
  wait: boolean;
  /** Aborted to stop waiting; a broker does the rest. */
  signal: AbortSignal;
}

/**
 * Closes a challenge and waits until its public code can be read. A broker that uses the same data does the
 * work; when none is running, a temporary one starts in this process. Running it again after a crash
 * continues where it stopped, because all state is in the records.
 */
export async function runClose(options: RunClose): Promise<ClosedChallenge & { clone_url: string | null }> {
  const { records, config, challenge, force, wait } = options;
  const isAlone = !config.redisUrl && isFree(config.dataFolder);
  await requireServedChallenge(records, config, challenge, isAlone);
  const served = (await openCatalog(config.challengesFolder, records)).all().get(challenge);
  if (!served && !force)
    throw new CrowdaiError("challenge_running", `The end of the rounds of ${challenge} is not known here.`, {
      next: "Pass the folder that contains it with --challenges, or close it with --force.",
    });
  await closeChallenge(records, served?.config ?? null, challenge, { force, now: new Date() });
  const address = await cloneUrl(config, challenge);
  const broker = wait && isAlone ? await startTemporaryBroker({ ...config, withGrader: false }) : null;
  try {
    const closed = await untilShown(options);
    return { ...closed, clone_url: closed.submissions > 0 ? address : null };
  } finally {
    await broker?.stop();
  }
}

/** Returns the clone URL of the public code; null while that is unknown. */
async function cloneUrl(
  { codeHost, publicUrl, dataFolder }: BrokerConfig,
  challenge: string,
): Promise<string | null> {
  const hosted = await addressAtHost(codeHost, { challenge, participant: null, edition: "public" });
  if (hosted !== null) return hosted;
  const address = publicUrl ?? runningAt(dataFolder);
  return address === null ? null : address + repositoryPath(challenge, null);
}

async function untilShown({ records, challenge, wait, signal }: RunClose): Promise<ClosedChallenge> {
  for (;;) {
    const closed = (await readClosed(records.db, challenge)) as ClosedChallenge;
    // An unreachable code host is retried for hours, which is too long to wait.
    if (closed.shown || !wait || signal.aborted || closed.problems.length > 0) return closed;
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

/** Returns the address of the broker that runs with this data folder. */
function runningAt(dataFolder: string): string | null {
  try {
    return String(JSON.parse(readFileSync(join(dataFolder, "broker.json"), "utf8")).url);
  } catch {
    return null;
  }
}
