import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addParticipant } from "../../../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../../../broker/src/records/open.ts";
import type { Records } from "../../../broker/src/records/records.ts";
import { createPlainGit } from "../../../broker/test/code/plain-git.ts";
import { loadChallenges } from "../../../shared/src/challenge-folder/index.ts";
import { startCiIssuer } from "../../../test/ci-issuer.ts";
import { checkRun, type Finding } from "../checker.ts";
import { startFleet } from "../fleet.ts";
import { createSeededRandom } from "../seeded-random.ts";
import { superviseFleet } from "../supervise-fleet.ts";
import { writeChallenges } from "./challenges.ts";
import { settingsOf } from "./people.ts";
import { scenarioOf } from "./scenarios.ts";
import { startWebhookReceiver } from "./webhook-receiver.ts";
import type { Scenario, World } from "./world.ts";

const PARTICIPANTS = 4;
/** How often work is begun for one stop. */
const TRIES = 5;
/** A stop lets fewer passes go by: of three submissions, each has up to four reports. */
const MAX_PASSES = 10;
const POLL_MS = 20;
/** Something that a scheduled job does may come a moment after the last answer. */
const LINGER_MS = 1500;
/** Work that has not come to a point by then does not come to it. */
const REACH_MS = 300_000;
/** After the last stop, for what was begun. A webhook's message is claimed for a minute. */
const SETTLE_MS = 600_000;
/** How long work that was aborted may take to end. */
const ABORTED_MS = 10_000;

export interface PointsRun {
  /** How often the process was ended at each point: `<step> before` and `<step> after`. */
  stops: Map<string, number>;
  findings: Finding[];
  acknowledged: number;
}

/** Milliseconds of all stops at a point. */
interface Spent {
  reaching: number;
  starting: number;
}

export interface PointsOptions {
  times: number;
  seed: number;
  runtime: string;
  steps: readonly string[];
  /** Fleets that share the steps. */
  lanes: number;
  /** Stops of earlier runs, by point: only what is missing to `times` is done. */
  done?: ReadonlyMap<string, number>;
  /** Ends the run early: what was stopped by then is checked. */
  signal?: AbortSignal;
  say?: (line: string) => void;
  keep?: boolean;
}

/**
 * Ends broker, grader or command at each marked point, `times` times, while clients do what needs the step.
 * The servers are started again at once. Then the records, what the clients saw, and what came of all that
 * was begun are checked.
 */
export async function stopAtPoints(options: PointsOptions): Promise<PointsRun> {
  const { times, done = new Map<string, number>() } = options;
  const waiting = options.steps.filter(
    (step) => scenarioOf(step) !== null && pointsOf(step).some((point) => (done.get(point) ?? 0) < times),
  );
  const lanes = Math.max(1, Math.min(options.lanes, waiting.length));
  const all = await Promise.all(Array.from({ length: lanes }, () => runLane(() => waiting.shift(), options)));
  const findings = new Map<string, string[]>();
  for (const { promise, broken } of all.flatMap((lane) => lane.findings))
    findings.set(promise, [...(findings.get(promise) ?? []), ...broken]);
  return {
    stops: new Map(all.flatMap((lane) => [...lane.stops]).sort(([a], [b]) => a.localeCompare(b))),
    findings: [...findings].map(([promise, broken]) => ({ promise, broken })),
    acknowledged: all.reduce((sum, lane) => sum + lane.acknowledged, 0),
  };
}

async function runLane(next: () => string | undefined, options: PointsOptions): Promise<PointsRun> {
  const { times, seed, runtime, done = new Map<string, number>(), say = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), "crowdai-points-"));
  const challenges = join(folder, "challenges");
  await mkdir(join(folder, "inputs"));
  const [git, issuer, webhooks] = await Promise.all([
    createPlainGit(),
    startCiIssuer(),
    startWebhookReceiver(),
  ]);
  await writeChallenges(challenges, webhooks.url);
  const file = join(folder, "point");
  const env = { ...settingsOf(issuer), CROWDAI_CRASH_FILE: file };
  const fleet = await startFleet({
    ...{ folder, challenges, runtime, env, brokers: 1, graders: 2, records: "sqlite", s3: false },
  });
  const supervision = superviseFleet(fleet);
  const ending = new AbortController();
  const records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
  const world: World = {
    ...{ fleet, folder, challenges, runtime, seed, records, git, issuer, webhooks, histories: [] },
    ...{ url: fleet.brokerUrls[0]!, keys: await addParticipants(records), signal: ending.signal },
    random: createSeededRandom(seed),
  };
  const stops = new Map<string, number>();
  /** How often the work of a stop passes a point, where it has been seen to come to its end before. */
  const passesOf = new Map<string, number>();
  const begun: Promise<unknown>[] = [];
  /** The work under way, named by its stop. */
  const underWay = new Set<string>();
  const unmet: string[] = [];
  try {
    for (let step = next(); step !== undefined; step = next())
      for (const isAfter of [false, true]) {
        if (options.signal?.aborted) break;
        const point = pointOf(step, isAfter);
        const missing = times - (done.get(point) ?? 0);
        if (missing <= 0) continue;
        stops.set(point, 0);
        // A step that is not begun does not end.
        if (isAfter && stops.get(pointOf(step, false)) === 0) continue;
        const spent: Spent = { reaching: 0, starting: 0 };
        for (let count = 0; count < missing && (await stopAt(step, isAfter, count, spent)); count++)
          stops.set(point, count + 1);
        const each = [spent.reaching, spent.starting].map((ms) => (ms / 1000).toFixed(1).padStart(8));
        say(`  ${point.padEnd(44)}${String(stops.get(point)).padStart(4)}${each.join("")}`);
      }
    rmSync(file, { force: true });
    const late = sleep(SETTLE_MS, true, { ref: false });
    if (await Promise.race([Promise.all(begun).then(() => false), late]))
      for (const one of underWay)
        unmet.push(`${one}: still under way ${SETTLE_MS / 1000} s after the last stop`);
    ending.abort();
    await Promise.race([Promise.all(begun), sleep(ABORTED_MS, undefined, { ref: false })]);
    const { challenges: loaded } = await loadChallenges(challenges);
    const findings = await checkRun(
      records,
      world.histories,
      new Map(loaded.map(({ config }) => [config.id, config])),
    );
    findings.push({ promise: "began and did not come to its end", broken: unmet });
    return { stops, findings, acknowledged: world.histories.filter((one) => one.acknowledged).length };
  } finally {
    ending.abort();
    supervision.end();
    await records.close();
    await fleet.stop();
    await Promise.all([git.close(), issuer[Symbol.asyncDispose](), webhooks.close()]);
    if (options.keep) say(`logs and records: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }

  /**
   * Work may pass a point several times: each stop lets one more pass than the last, up to what the work has
   * been seen to do. It may also come to its end another way, as a job that a broker finds at its start comes
   * to the queue by another step; it is then begun again.
   */
  async function stopAt(step: string, isAfter: boolean, count: number, spent: Spent): Promise<boolean> {
    const scenario = scenarioOf(step)!;
    const point = pointOf(step, isAfter);
    // A command is not begun again after it has done its work.
    let passes = scenario.byCommand ? 0 : count % Math.min(passesOf.get(point) ?? MAX_PASSES, MAX_PASSES);
    for (let tries = 0; tries < TRIES && !options.signal?.aborted; tries++) {
      if (await stopOnce(scenario, step, isAfter, passes, spent)) return true;
      const left = existsSync(file) ? Number(readFileSync(file, "utf8").slice(point.length)) : 0;
      passesOf.set(point, Math.max(1, passes - left));
      passes = 0;
    }
    return false;
  }

  /** Resolves with whether the process ended, and a server that did runs again. */
  async function stopOnce(
    scenario: Scenario,
    step: string,
    isAfter: boolean,
    passes: number,
    spent: Spent,
  ): Promise<boolean> {
    const restarts = supervision.restarts();
    const began = performance.now();
    const n = begun.length;
    const point = pointOf(step, isAfter);
    const name = `${point}, ${n}`;
    arm(file, passes === 0 ? point : `${point} ${passes}`);
    underWay.add(name);
    /** A run that ends early does not stop this work, which may expect that. */
    let isAbandoned = false;
    const work = scenario
      .run(world, { n, step, isAfter })
      .catch((error: Error) => {
        if (ending.signal.aborted || isAbandoned) return;
        unmet.push(`${name}: ${error.message}`);
        say(`! ${unmet.at(-1)}`);
      })
      .finally(() => underWay.delete(name));
    begun.push(work);
    const isStopped = await stopped(file, work, options.signal);
    isAbandoned = !isStopped && options.signal?.aborted === true;
    const reached = performance.now();
    spent.reaching += reached - began;
    if (isStopped && !scenario.byCommand) await supervision.after(restarts);
    if (isStopped && scenario.once) await work;
    spent.starting += performance.now() - reached;
    return isStopped;
  }
}

const pointOf = (step: string, isAfter: boolean) => `${step} ${isAfter ? "after" : "before"}`;
const pointsOf = (step: string) => [false, true].map((isAfter) => pointOf(step, isAfter));

/** In one step: a process must not read half of it. */
function arm(file: string, point: string): void {
  writeFileSync(`${file}.new`, point);
  renameSync(`${file}.new`, file);
}

/**
 * Resolves with true when a process has ended at the point, and with false when all was done without reaching
 * it.
 */
async function stopped(file: string, work: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  let isOver = false;
  const late = sleep(REACH_MS, undefined, { ref: false });
  const over = work.then(() => sleep(LINGER_MS, undefined, { ref: false }));
  void Promise.race([over, late]).finally(() => {
    isOver = true;
  });
  while (existsSync(file)) {
    if (isOver || signal?.aborted) return false;
    await sleep(POLL_MS);
  }
  return true;
}

async function addParticipants(records: Records): Promise<string[]> {
  const keys: string[] = [];
  for (let n = 1; n <= PARTICIPANTS; n++)
    keys.push(await addParticipant(records, `participant-${n}`, new Date().toISOString()));
  return keys;
}
