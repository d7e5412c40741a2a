import { resolve } from "node:path";
import { CrowdaiError, quoted } from "@crowdai/shared";
import { type ChallengeConfig, leftOutFiles, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { CheckConfig } from "@crowdai/shared/check";
import { type Command, Option } from "commander";
import { iso } from "../base/clock.ts";
import { type BrokerConfig, readConfig } from "../base/config.ts";
import { addBundle } from "../domain/challenges/add-bundle.ts";
import { listRecordedChallenges } from "../domain/challenges/list-challenges.ts";
import type { ClosedChallenge } from "../domain/publishing/close-challenge.ts";
import { cancelRegrade } from "../domain/regrade/cancel-regrade.ts";
import { type RegradeStatus, readRegrade } from "../domain/regrade/regrade-status.ts";
import { claimObjects } from "../records/instance.ts";
import { openRecords } from "../records/open.ts";
import type { Records } from "../records/records.ts";
import { openObjects } from "../startup/open-objects.ts";
import { addExportCommand } from "./export-command.ts";
import { addImportCommand } from "./import-command.ts";
import type { Io } from "./io.ts";
import { lacksPandas, missingProgram } from "./missing-program.ts";
import { runClose } from "./run-close.ts";
import { runRegrade } from "./run-regrade.ts";
import { addWebhookCommand } from "./webhook-command.ts";

interface RegradeFlags {
  data: string;
  challenges: string;
  concurrency?: string;
  status?: boolean;
  cancel?: boolean;
  wait: boolean;
  format: "text" | "json";
}

/** Names the parts of a check; its files and its sample were tried when the folder was loaded. */
function checkText({ csv, schema, function: called, sample }: CheckConfig): string {
  const parts = [csv && "CSV", schema && "JSON Schema", called && `function ${called}`].filter(Boolean);
  return `${parts.join(", ")}${sample === null ? "" : `; ${sample} passes`}`;
}

/** Says when hidden scores become known, where the rounds do not tell. */
function finalNotices({ final, rounds, id }: ChallengeConfig): string[] {
  const open = rounds.filter(({ ends_at }) => ends_at === null).map((round) => quoted(round.id));
  if (final === null || open.length === 0) return [];
  const which = open.length === 1 ? `round ${open[0]} has no end` : `rounds ${open.join(", ")} have no end`;
  return [
    `${which}, so ${open.length === 1 ? "its" : "their"} final scores stay hidden until \`crowdai-broker challenge close ${id}\`.`,
  ];
}

/** The most files that are named one by one. */
const MAX_NAMED = 20;

/** Adds `crowdai-broker challenge …`: commands that check folders, add them as bundles, regrade and close. */
export function addChallengeCommands(program: Command, io: Io, dataOption: () => Option): void {
  const say = (line: string) => void io.stdout.write(`${line}\n`);
  const formatOption = () =>
    new Option("--format <format>", "output format").choices(["text", "json"]).default("text");
  const withRecords = async <T>(config: BrokerConfig, work: (records: Records) => Promise<T>): Promise<T> => {
    const records = await openRecords(config);
    try {
      return await work(records);
    } finally {
      await records.close();
    }
  };

  const challenge = program
    .command("challenge")
    .description("Check, import, export, add, re-grade and close challenges.");
  challenge
    .command("check <dir>")
    .description("Check a challenge folder and report all errors at once.")
    .action(async (dir: string) => {
      const folder = resolve(io.cwd, dir);
      const loaded = await loadChallengeFolder(folder);
      const { config, version, data } = loaded;
      say(`${config.id}: "${config.title}", version ${version}`);
      say(`  ${count(config.rounds.length, "round")}, functions ${config.evaluator.functions.join(", ")}`);
      say(`  ${count(data.length, "public file")}`);
      if (config.check) say(`  check: ${checkText(config.check)}`);
      for (const notice of finalNotices(config)) io.stderr.write(`note: ${notice}\n`);
      const program = await missingProgram(config.evaluator, io.env.PATH ?? "");
      if (program) io.stderr.write(`note: this machine has no ${program}; every grader needs it.\n`);
      else if (lacksPandas(loaded, io.env.PATH ?? ""))
        io.stderr.write("note: the Python of this machine has no pandas; every grader needs it.\n");
      const leftOut = await leftOutFiles(folder);
      for (const { file, reason } of leftOut.slice(0, MAX_NAMED))
        io.stderr.write(`warning: participants do not get ${quoted(file)}: ${reason}.\n`);
      if (leftOut.length > MAX_NAMED)
        io.stderr.write(`warning: participants do not get ${leftOut.length - MAX_NAMED} more files.\n`);
    });

  addImportCommand(challenge, io, formatOption);
  addExportCommand(challenge, io, dataOption);

  challenge
    .command("add <dir>")
    .description(
      "Upload a challenge folder to the object store as a bundle; running brokers and graders pick it up.",
    )
    .addOption(dataOption())
    .action((dir: string, { data }) => {
      const config = readConfig({ data }, io.env, io.cwd);
      return withRecords(config, async (records) => {
        const { objects } = await openObjects(config, () => config.publicUrl ?? "");
        try {
          await claimObjects(records.db, objects);
          const folder = resolve(io.cwd, dir);
          await loadChallengeFolder(folder);
          const added = await addBundle({ records, objects }, folder, iso(Date.now()));
          say(`${added.id}\t${added.version}`);
          io.stderr.write(
            added.changed
              ? `${added.id} is now served at version ${added.version} (${added.size} bytes).\n` +
                  `Earlier grades keep their version. To re-grade them, run \`crowdai-broker challenge regrade ${added.id}\`.\n`
              : `Version ${added.version} of ${added.id} is already current.\n`,
          );
        } finally {
          await objects.close();
        }
      });
    });

  challenge
    .command("list")
    .description("List added challenges: id, version, time added, whether it is current.")
    .addOption(dataOption())
    .addOption(formatOption())
    .action(({ data, format }) =>
      withRecords(readConfig({ data }, io.env, io.cwd), async ({ db }) => {
        const challenges = await listRecordedChallenges(db);
        if (format === "json") say(JSON.stringify({ schema_version: 1, challenges }));
        else
          for (const { id, version, added_at, current } of challenges)
            say([id, version, added_at, current ? "current" : "earlier"].join("\t"));
      }),
    );

  challenge
    .command("regrade <id>")
    .description("Re-grade every submission of a challenge; the leaderboard changes all at once, at the end.")
    .addOption(dataOption())
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .option(
      "--concurrency <n>",
      "jobs to grade in parallel when no broker is running (default: one per core)",
    )
    .option("--status", "show the progress of the latest regrade")
    .option("--cancel", "cancel the running regrade; all outcomes stay as they are")
    .option("--no-wait", "return at once; a running broker does the work")
    .addOption(formatOption())
    .action((id: string, flags: RegradeFlags) => {
      const { data, challenges, concurrency } = flags;
      const config = readConfig({ data, challenges, concurrency }, io.env, io.cwd);
      return withRecords(config, async (records) => {
        const status = await regrade(records, config, id, flags);
        if (flags.format === "json") say(JSON.stringify({ schema_version: 1, regrade: status }));
        else for (const line of describe(status)) say(line);
      });
    });

  challenge
    .command("close <id>")
    .description(
      "Close a challenge whose rounds have ended and publish, permanently, the code its participants selected.",
    )
    .addOption(dataOption())
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .option("--force", "close it even if a round is still open; it accepts no more submissions")
    .option("--no-wait", "return before everything is public; a running broker does the rest")
    .addOption(formatOption())
    .action((id: string, { data, challenges, force = false, wait, format }) => {
      const config = readConfig({ data, challenges }, io.env, io.cwd);
      return withRecords(config, async (records) => {
        const stopping = new AbortController();
        io.onSignal(() => stopping.abort());
        const closed = await runClose({
          records,
          config,
          challenge: id,
          force,
          wait,
          signal: stopping.signal,
        });
        if (format === "json") say(JSON.stringify({ schema_version: 1, closed }));
        else for (const line of describeClosed(closed)) say(line);
        for (const problem of closed.problems) io.stderr.write(`not published yet: ${problem}\n`);
      });
    });

  addWebhookCommand(challenge, { say, dataOption, formatOption }, (data, work) =>
    withRecords(readConfig({ data }, io.env, io.cwd), work),
  );

  async function regrade(
    records: Records,
    config: BrokerConfig,
    id: string,
    flags: RegradeFlags,
  ): Promise<RegradeStatus> {
    if (flags.cancel && !(await cancelRegrade(records, id, new Date())))
      throw new CrowdaiError("usage", `No regrade of ${id} is running.`);
    if (flags.status || flags.cancel) {
      const found = await readRegrade(records.db, { challenge: id });
      if (found) return found;
      throw new CrowdaiError("usage", `${id} has never been re-graded here.`);
    }
    const stopping = new AbortController();
    io.onSignal(() => stopping.abort());
    let reported = "";
    const status = await runRegrade({
      records,
      config,
      challenge: id,
      wait: flags.wait,
      signal: stopping.signal,
      onProgress({ done, submissions, awaited }) {
        const progress = `${done} of ${submissions} re-graded${awaitedText(awaited)}`;
        if (progress !== reported) io.stderr.write(`${progress}\n`);
        reported = progress;
      },
    });
    if (status.state !== "running" || !flags.wait) return status;
    throw new CrowdaiError("interrupted", `The regrade of ${id} is not finished.`, {
      next: `A broker continues it. To see its progress, run \`crowdai-broker challenge regrade ${id} --status\`.`,
    });
  }
}

function describeClosed(closed: ClosedChallenge & { clone_url: string | null }): string[] {
  const { challenge, closed_at, submissions, participants, awaited, shown, clone_url } = closed;
  const head =
    submissions === 0
      ? `${challenge} closed on ${closed_at}; no code was selected for publication`
      : `${challenge} closed on ${closed_at}: ${count(submissions, "submission")} of ${count(participants, "participant")} ${submissions === 1 ? "is" : "are"} public`;
  return [
    head,
    ...(clone_url ? [`  git clone --recurse-submodules ${clone_url}`] : []),
    ...(awaited > 0 ? [`  ${awaited} more become public once their grade and code have arrived`] : []),
    ...(shown ? [] : ["  not everything is public yet; a broker continues"]),
  ];
}

function describe(status: RegradeStatus): string[] {
  const { challenge, state, submissions, done, graded, failed, kept, awaited, reasons } = status;
  const verdicts = `${graded} graded, ${failed} failed, ${kept} kept their old outcome`;
  const version = status.version === null ? "" : `, version ${status.version}`;
  const head =
    state === "running"
      ? `${challenge}: ${done} of ${submissions} re-graded since ${status.started_at}${version}${awaitedText(awaited)}; the old grades count until all are done`
      : state === "cancelled"
        ? `${challenge}: the regrade was cancelled at ${status.finished_at}; all outcomes stay as they were`
        : `${challenge}: ${count(submissions, "submission")} re-graded by ${status.finished_at}${version}: ${verdicts}`;
  if (state === "cancelled") return [head];
  return [head, ...reasons.map(({ reason, submissions: n }) => `  kept ${n}: ${reason}`)];
}

const awaitedText = (awaited: number) =>
  awaited === 0 ? "" : `; ${awaited} more still being graded with an older version`;

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
