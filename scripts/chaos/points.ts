import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addParticipant } from "../../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../../broker/src/records/open.ts";
import { loadChallenges } from "../../shared/src/challenge-folder/index.ts";
import { readSteps } from "../check/marked-steps.ts";
import { cancelOne } from "./cancel-one.ts";
import { writeChaosChallenge } from "./chaos-challenge.ts";
import { checkRun, type Finding } from "./checker.ts";
import { type Clients, startClients } from "./clients.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import { createSeededRandom } from "./seeded-random.ts";
import type { PlannedSubmission } from "./submission-plan.ts";
import { superviseFleet } from "./supervise-fleet.ts";

const PARTICIPANTS = 4;
const POLL_MS = 5;
/** Something that a scheduled job does may come a moment after the last grade. */
const LINGER_MS = 1500;
/** After the last stop, for what graders had begun to be graded by others. */
const SETTLE_MS = 120_000;

export interface PointsRun {
  /** How often the process was ended at each point: `<step> before` and `<step> after`. */
  stops: Map<string, number>;
  findings: Finding[];
  acknowledged: number;
}

/**
 * Ends broker or grader at each marked point, `times` times, while clients submit a value and a file and cancel a third submission.
 * Both are started again at once. Then the records and what the clients saw are checked.
 */
export async function stopAtPoints(options: {
  times: number;
  seed: number;
  runtime: string;
  /** All that the sources name, by default. */
  steps?: readonly string[];
  say?: (line: string) => void;
  keep?: boolean;
}): Promise<PointsRun> {
  const { times, seed, runtime, steps = readSteps().names, say = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "crowdai-points-"));
  const challenges = join(folder, "challenges");
  await writeChaosChallenge(challenges);
  await mkdir(join(folder, "inputs"));
  const file = join(folder, "point");
  const env = { CROWDAI_CRASH_FILE: file };
  const fleet = await startFleet({
    ...{ folder, challenges, runtime, env, brokers: 1, graders: 2, records: "sqlite", s3: false },
  });
  const supervision = superviseFleet(fleet);
  const ending = new AbortController();
  const begun: Clients[] = [];
  const stops = new Map<string, number>();
  try {
    const keys = await addParticipants(fleet);
    for (const step of steps)
      for (const point of [`${step} before`, `${step} after`]) {
        stops.set(point, 0);
        // A step that did not begin does not end.
        if (point.endsWith(" after") && stops.get(`${step} before`) === 0) continue;
        for (let count = 0; count < times; count++) {
          const restarts = supervision.restarts();
          arm(file, point);
          const clients = startClients({
            work: await workOf(begun.length),
            keys,
            brokerUrls: fleet.brokerUrls.slice(0, 1),
            random: createSeededRandom(seed + begun.length),
            signal: ending.signal,
          });
          begun.push(clients);
          const cancelled = cancelOne(
            fleet.brokerUrls[0]!,
            keys[0]!,
            `cancel-${seed}-${begun.length}`,
            ending.signal,
          );
          const isStopped = await stopped(file, Promise.all([clients.over, cancelled]));
          if (!isStopped) break;
          await supervision.after(restarts);
          stops.set(point, count + 1);
        }
        say(`  ${point.padEnd(44)}${String(stops.get(point)).padStart(4)}`);
      }
    rmSync(file, { force: true });
    await Promise.race([
      Promise.all(begun.map(({ over }) => over)),
      sleep(SETTLE_MS, undefined, { ref: false }),
    ]);
    ending.abort();
    const histories = begun.flatMap((clients) => clients.histories);
    const findings = await check(fleet, challenges, histories);
    return { stops, findings, acknowledged: histories.filter(({ acknowledged }) => acknowledged).length };
  } finally {
    ending.abort();
    supervision.end();
    await fleet.stop();
    if (options.keep) say(`logs and records: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }

  async function workOf(index: number): Promise<PlannedSubmission[]> {
    const score = (index % 1000) / 1000;
    const path = join(folder, "inputs", `${index}.json`);
    const value = { score, seconds: 0.05, steps: 2 };
    await writeFile(path, JSON.stringify(value));
    return [{ value }, { file: path }].map((input, kind) => ({
      ...{ challenge: "chaos", participant: index % PARTICIPANTS, input, at: 0, manner: "stay" },
      ...{ id: `points-${seed}-${index}-${kind}`, name: `${index}-${kind}`, expected: { score } },
    }));
  }
}

/** In one step: a process must not read half of it. */
function arm(file: string, point: string): void {
  writeFileSync(`${file}.new`, point);
  renameSync(`${file}.new`, file);
}

/** Resolves with true when a process has ended at the point, and with false when all was done without reaching it. */
async function stopped(file: string, work: Promise<unknown>): Promise<boolean> {
  let isOver = false;
  const over = work.then(() => sleep(LINGER_MS, undefined, { ref: false }));
  void over.finally(() => {
    isOver = true;
  });
  while (existsSync(file)) {
    if (isOver) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function addParticipants(fleet: Fleet): Promise<string[]> {
  const records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
  const keys: string[] = [];
  for (let n = 1; n <= PARTICIPANTS; n++)
    keys.push(await addParticipant(records, `participant-${n}`, new Date().toISOString()));
  await records.close();
  return keys;
}

async function check(fleet: Fleet, challenges: string, histories: Clients["histories"]): Promise<Finding[]> {
  const records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
  const { challenges: loaded } = await loadChallenges(challenges);
  const findings = await checkRun(
    records,
    histories,
    new Map(loaded.map(({ config }) => [config.id, config])),
  );
  await records.close();
  return findings;
}
