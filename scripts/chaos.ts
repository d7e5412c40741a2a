// `npm run chaos`: a fleet whose parts are killed, frozen, restarted, flushed and cut at random instants
// while clients submit; then a checker reads every client's history and the records. Ends with 1 when any
// promise was broken. See docs/chaos.md.
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { addParticipant } from "../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../broker/src/records/open.ts";
import { loadChallenges } from "../shared/src/challenge-folder/index.ts";
import { attackBoxes } from "./chaos/boxes.ts";
import { writeChaosChallenge } from "./chaos/chaos-challenge.ts";
import { checkRun } from "./chaos/checker.ts";
import { startClients } from "./chaos/clients.ts";
import { injectFaults } from "./chaos/fault-injection.ts";
import { planFaults } from "./chaos/fault-plan.ts";
import { startFleet } from "./chaos/fleet.ts";
import { provokeLateReport } from "./chaos/late-report.ts";
import { prepareOlderRelease } from "./chaos/older-release.ts";
import { readOptions } from "./chaos/options.ts";
import { reportPoints } from "./chaos/points/report-points.ts";
import { report } from "./chaos/report.ts";
import { loadSamples } from "./chaos/samples.ts";
import { createSeededRandom } from "./chaos/seeded-random.ts";
import { generateSamples, planSubmissions } from "./chaos/submission-plan.ts";
import { isInstalled } from "./services/programs.ts";
import ensureBuilt from "./test/ensure-built.ts";
import {
  installMissing,
  programsOf,
  REQUIRED_PROGRAMS,
  requireSystemPackages,
} from "./test/system-packages.ts";

const PARTICIPANTS = 12;
/** Once everything runs again, something must end every so often until all has. */
const STALL_TIMEOUT_MS = 120_000;

const args = process.argv.slice(2);
if (!args.includes("--help")) installServices(args);
const options = readOptions(args);
if (options.boxes !== null) process.exit(await attackBoxes({ boxes: options.boxes, seed: options.seed }));
await ensureBuilt();
if (options.points !== null) process.exit(await reportPoints({ ...options, ...options.points }));
const { seed, ms } = options;
console.log(
  `chaos: seed ${seed}, ${options.submissions} submissions, ${options.kills} kills in ${Math.round(ms / 1000)} s; ` +
    `${options.brokers} brokers, ${options.graders} graders, ${options.records}, objects ${options.s3 ? "in Swift" : "in folders"}\n` +
    `again:  npm run chaos -- ${options.again}`,
);
const folder = await mkdtemp(join(tmpdir(), "crowdai-chaos-"));
const inputs = join(folder, "inputs");
mkdirSync(inputs);
const challenges = options.challenges ?? join(folder, "challenges");
if (!options.challenges) await writeChaosChallenge(challenges);

// A source for each plan: one more fault must not change the submissions.
const own = generateSamples(createSeededRandom(seed), inputs, options.s3 || options.brokers === 1);
const sample = options.challenges ? await loadSamples(createSeededRandom(seed), challenges) : own.sample;
const work = planSubmissions(createSeededRandom(seed + 1), {
  seed,
  count: options.submissions,
  participants: PARTICIPANTS,
  ms,
  sample,
});
if (!options.challenges) await own.write();
const older = options.conditions.has("two-releases")
  ? await prepareOlderRelease(options.olderRelease, join(folder, "older")).catch(cannotRun)
  : null;
if (older) console.log(`older release: ${older.name}`);
const fleet = await startFleet({ ...options, folder, challenges, olderRelease: older }).catch(cannotRun);
const plan = planFaults(createSeededRandom(seed + 2), {
  kills: options.kills,
  ms,
  counts: {
    broker: options.brokers,
    grader: options.graders,
    redis: fleet.redis.length,
    postgres: options.records === "postgres" ? 1 : 0,
    // Its wire is cut with the clients'. It takes too long to start for being killed in the pace of the
    // others.
    swift: 0,
  },
  smallDisk: fleet.smallDisk?.grader ?? null,
  upgrades: older && { broker: options.brokers, grader: options.graders },
});
const keys: string[] = [];
const names = Array.from({ length: PARTICIPANTS }, (_, index) => `participant-${index + 1}`);
if (older) keys.push(...(await Promise.all(names.map((name) => fleet.addParticipant(name)))));
else {
  const records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
  for (const name of names) keys.push(await addParticipant(records, name, new Date().toISOString()));
  await records.close();
}

const began = performance.now();
const ending = new AbortController();
const clients = startClients({
  work,
  keys,
  brokerUrls: fleet.brokerUrls,
  random: createSeededRandom(seed + 3),
  signal: ending.signal,
});
const faults = injectFaults(plan, fleet, options.verbose ? console.log : () => {});
const progressTimer = setInterval(
  () =>
    console.log(
      `  ${Math.round((performance.now() - began) / 1000)} s: ${clients.pending()} submissions to come or under way, ${faults.done.length} of ${plan.length} faults`,
    ),
  10_000,
);
await faults.over;
clients.settle();
const settled = performance.now();
const late =
  !options.challenges && options.graders > 1
    ? provokeLateReport({ fleet, apiKey: keys[0]!, signal: ending.signal })
    : Promise.resolve(false);
await Promise.race([Promise.all([clients.over, late]), untilStalled()]);
clearInterval(progressTimer);
const tookMs = performance.now() - settled;
ending.abort();
await clients.over;
if (await late) console.log("  a grader was frozen until another ran its job, and thawed");

const after = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
const { challenges: loaded } = await loadChallenges(challenges);
const configs = new Map(loaded.map(({ config }) => [config.id, config]));
const findings = await checkRun(after, clients.histories, configs);
await after.close();
await fleet.stop();
const broken = report({
  findings,
  faults: faults.done,
  histories: clients.histories,
  retriedErrors: clients.retriedErrors,
  seconds: (performance.now() - began) / 1000,
  settleSeconds: tookMs / 1000,
});
if (broken > 0 || options.keep) console.log(`\nlogs and records: ${folder}`);
else await rm(folder, { recursive: true, force: true });
process.exitCode = broken > 0 ? 1 : 0;

/**
 * Installs what the fleet runs on. Swift is used where it can be installed: without it, objects are in
 * folders.
 */
function installServices(args: readonly string[]): void {
  if (args.some((arg) => arg.startsWith("--boxes"))) {
    requireSystemPackages(["bwrap", "python3"]);
    return;
  }
  if (!args.includes("--no-s3") && !args.includes("--points") && !isInstalled("swift"))
    installMissing(REQUIRED_PROGRAMS.filter(({ program }) => programsOf(["swift"]).includes(program)));
  const sqlite = args.includes("--points") || args.join(" ").match(/--records[ =]sqlite/);
  requireSystemPackages([
    ...programsOf(sqlite ? ["redis"] : ["redis", "postgres"]),
    ...(args.includes("--s3") ? programsOf(["swift"]) : []),
    "python3",
    "setpriv",
  ]);
}

async function cannotRun(error: Error): Promise<never> {
  console.error(`Cannot run: ${error.message.trim()}`);
  await rm(folder, { recursive: true, force: true });
  // Processes that were started end with this one.
  process.exit(2);
}

async function untilStalled(): Promise<void> {
  await sleep(Math.max(0, began + ms - performance.now()), undefined, { ref: false });
  for (
    let last = clients.pending(), since = performance.now();
    performance.now() - since < STALL_TIMEOUT_MS;
  ) {
    await sleep(1000, undefined, { ref: false });
    if (clients.pending() === last) continue;
    last = clients.pending();
    since = performance.now();
  }
}
