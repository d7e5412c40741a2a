// `npm run soak`: a fleet at half of the load that it can bear, for hours: memory, descriptors, bytes in
// Redis and the time of a grade must stay what they are. Ends with 1 when one of them grows. See
// docs/chaos.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { addParticipant } from "../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../broker/src/records/open.ts";
import { Challenge } from "../cli/src/index.ts";
import { writeChaosChallenge } from "./chaos/chaos-challenge.ts";
import { startFleet } from "./chaos/fleet.ts";
import { flatnessOf, type Series } from "./soak/flatness.ts";
import { createLoad } from "./soak/load.ts";
import ensureBuilt from "./test/ensure-built.ts";

const HELP = `npm run soak -- [options]

  --minutes <m>         default 120
  --rate <n>            submissions a second; by default half of what the machine can do at the start
  --json <file>         default soak.json
  --runtime <program>   runs broker and grader: node (default: this one) or bun
`;
const SAMPLES = 80;
const PARTICIPANTS = 8;
const CAPACITY_SECONDS = 20;
const MEGABYTE = 1024 * 1024;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "120" },
    rate: { type: "string" },
    json: { type: "string", default: "soak.json" },
    runtime: { type: "string", default: process.execPath },
    help: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const rate = values.rate === undefined ? null : Number(values.rate);
if (values.help || !(minutes > 0) || (rate !== null && !(rate > 0))) {
  console[values.help ? "log" : "error"](HELP);
  process.exit(values.help ? 0 : 2);
}
await ensureBuilt();
const folder = mkdtempSync(join(tmpdir(), "crowdai-soak-"));
const challenges = join(folder, "challenges");
await writeChaosChallenge(challenges);
const fleet = await startFleet({
  ...{ folder, challenges, runtime: values.runtime },
  ...{ brokers: 1, graders: 1, records: "postgres", s3: false },
});
const records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
const sessions: Challenge[] = [];
for (let i = 0; i < PARTICIPANTS; i++) {
  const apiKey = await addParticipant(records, `participant-${i + 1}`, new Date().toISOString());
  sessions.push(await Challenge.open("chaos", { apiKey, broker: fleet.brokerUrls[0]! }));
}
await records.close();

const load = createLoad(sessions);
const capacity = await load.measureCapacity(CAPACITY_SECONDS);
const perSecond = rate ?? capacity / 2;
console.log(
  `soak: ${minutes} minutes at ${perSecond.toFixed(1)} submissions a second, of ${capacity.toFixed(1)} possible`,
);
load.takeP99();
const redis = new Redis(fleet.redis[0]!.url);
const watched = { broker: fleet.broker[0]!, grader: fleet.grader[0]! };
const series: (Series & { values: number[] })[] = [
  ...Object.keys(watched).flatMap((name) => [
    { name: `${name} memory (MB)`, values: [], noise: 4 },
    { name: `${name} descriptors`, values: [], noise: 4 },
  ]),
  { name: "Redis memory (MB)", values: [], noise: 0.25 },
  { name: "p99 (ms)", values: [], noise: 2 },
];
const add = (name: string, value: number) => series.find((one) => one.name === name)!.values.push(value);
const ending = new AbortController();
const running = load.run(perSecond, ending.signal);
for (let sample = 0; sample < SAMPLES; sample++) {
  await sleep((minutes * 60_000) / SAMPLES);
  for (const [name, { pid }] of Object.entries(watched)) {
    const resident = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    add(`${name} memory (MB)`, resident / 1024);
    add(`${name} descriptors`, readdirSync(`/proc/${pid}/fd`).length);
  }
  const info = await redis.info("memory");
  add("Redis memory (MB)", Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / MEGABYTE);
  add("p99 (ms)", load.takeP99());
}
ending.abort();
await running;
redis.disconnect();
for (const session of sessions) await session.close();
await fleet.stop();
rmSync(folder, { recursive: true, force: true });

const results = series.map(flatnessOf);
const number = (value: number) => value.toFixed(1).padStart(10);
console.log(`\n${"".padEnd(24)}${"2nd quarter".padStart(12)}${"last".padStart(10)}${"growth".padStart(10)}`);
for (const { name, before, after, growth, isFlat } of results)
  console.log(
    `${name.padEnd(24)}  ${number(before)}${number(after)}${`${(100 * growth).toFixed(1)} %`.padStart(10)}${isFlat ? "" : "  not flat"}`,
  );
console.log(
  `\n${load.graded} submissions graded, ${load.failed.length} failed, ${load.leftOut} left out because the fleet could not keep up`,
);
for (const error of new Set(load.failed.slice(0, 10))) console.log(`  ${error}`);
const { graded, failed, leftOut } = load;
writeFileSync(
  values.json,
  `${JSON.stringify({ minutes, perSecond, graded, failed: failed.length, leftOut, results, series }, null, 2)}\n`,
);
process.exitCode = results.every(({ isFlat }) => isFlat) && failed.length + leftOut === 0 ? 0 : 1;
