import { statfs } from "node:fs/promises";
import { type Command, Option } from "commander";
import { iso } from "../base/clock.ts";
import { readConfig } from "../base/config.ts";
import { shownSize } from "../base/shown-size.ts";
import { type ChallengeStatus, readChallengeStatus } from "../domain/status/challenge-status.ts";
import { type ReportedGraders, readReportedGraders } from "../domain/status/reported-graders.ts";
import type { Records } from "../records/records.ts";
import type { Io } from "./io.ts";

interface Status {
  at: string;
  disk: { path: string; free_bytes: number; total_bytes: number } | null;
  graders: ReportedGraders;
  challenges: ChallengeStatus[];
}

/** Adds `crowdai-broker status`, which shows what needs a hand. */
export function addStatusCommand(
  program: Command,
  io: Pick<Io, "stdout" | "cwd" | "env">,
  dataOption: () => Option,
  withRecords: <T>(data: string, work: (records: Records) => Promise<T>) => Promise<T>,
): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  program
    .command("status [challenge]")
    .description(
      "Show what needs a hand: queues, graders, evaluators that failed, mixed versions, webhooks, disk.",
    )
    .addOption(dataOption())
    .addOption(new Option("--format <format>", "output format").choices(["text", "json"]).default("text"))
    .option("--json", "the same as --format json")
    .action((challenge: string | undefined, { data, format, json }) =>
      withRecords(data, async ({ db }) => {
        const now = new Date();
        const graders = await readReportedGraders(db, now);
        const known = await db
          .selectFrom("challenge_numbers")
          .select("challenge")
          .$if(challenge !== undefined, (query) => query.where("challenge", "=", challenge as string))
          .orderBy("challenge")
          .execute();
        const challenges = [];
        for (const one of known) challenges.push(await readChallengeStatus(db, one.challenge, graders, now));
        const { dataFolder } = readConfig({ data }, io.env, io.cwd);
        const status = { at: iso(now), disk: await readDisk(dataFolder), graders, challenges };
        if (json || format === "json") say(JSON.stringify({ schema_version: 1, ...status }));
        else for (const line of describe(status)) say(line);
      }),
    );
}

async function readDisk(path: string): Promise<Status["disk"]> {
  try {
    const { bavail, blocks, bsize } = await statfs(path);
    return { path, free_bytes: bavail * bsize, total_bytes: blocks * bsize };
  } catch {
    // With the records and objects elsewhere, there may be no such folder here.
    return null;
  }
}

function* describe({ at, disk, graders, challenges }: Status): Generator<string> {
  if (disk)
    yield `disk      ${shownSize(disk.free_bytes)} of ${shownSize(disk.total_bytes)} free at ${disk.path}`;
  if (graders.at === null) yield "graders   unknown; no broker has reported any yet";
  else if (graders.graders.length === 0) yield `graders   none, as of ${graders.at}`;
  for (const { grader, concurrency, challenges, problem } of graders.graders)
    yield `grader    ${grader}: ${count(concurrency, "job")} at a time of ${challenges.join(", ") || "no challenge"}${problem ? `; takes none: ${problem}` : ""}`;
  for (const status of challenges) yield* describeChallenge(status, Date.parse(at));
}

function* describeChallenge(status: ChallengeStatus, now: number): Generator<string> {
  const { challenge, waiting, waiting_since, grading, graders, unable } = status;
  const oldest = waiting_since === null ? "" : `, the first for ${duration(now - Date.parse(waiting_since))}`;
  yield "";
  yield `${challenge}`;
  yield `  queue     ${waiting} waiting${oldest}; ${grading} in grading by ${count(graders.length, "grader")}`;
  for (const reason of unable) yield `  unable    ${reason}`;
  if (status.versions.length > 1)
    yield `  versions  ${status.versions.map(({ version, entries }) => `${version ?? "unknown"}: ${entries}`).join(", ")} on the board; \`crowdai-broker challenge regrade ${challenge}\` makes them one`;
  const day = status.submissions_by_hour.reduce((sum, { submissions }) => sum + submissions, 0);
  yield `  last day  ${count(day, "submission")}${hours(status)}`;
  for (const { host, waiting, given_up, problem } of status.webhooks)
    if (given_up > 0 || (waiting > 0 && problem !== null))
      yield `  webhook   ${host}: ${given_up} given up, ${waiting} waiting${problem === null ? "" : `; ${problem}`}`;
  for (const { submission, at, code, message, log } of status.ungraded) {
    yield `  failed    ${submission} at ${at} (${code}): ${message}`;
    for (const line of log) yield `              ${line}`;
  }
}

function hours({ submissions_by_hour: all }: ChallengeStatus): string {
  if (all.length === 0) return "";
  const parts = all.map(({ hour, submissions }) => `${submissions} at ${hour.slice(11, 13)}:00`);
  return ` (by hour, UTC: ${parts.join(", ")})`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
