import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { Command, Option } from "commander";
import { pino } from "pino";
import { readConfig } from "../base/config.ts";
import { VERSION } from "../base/version.ts";
import { openRecords } from "../records/open.ts";
import type { Records } from "../records/records.ts";
import { addBackupCommands } from "./backup-commands.ts";
import { addChallengeCommands } from "./challenge-commands.ts";
import { addInitCommand } from "./init-command.ts";
import type { Io } from "./io.ts";
import { addOrganizerCommands } from "./organizer-commands.ts";
import { addParticipantCommands } from "./participant-commands.ts";
import { addStatusCommand } from "./status-command.ts";
import { addSubmissionCommands } from "./submission-commands.ts";

/** Creates the commands of crowdai-broker. Results go to stdout, everything else to stderr. */
export function createProgram(io: Io): Command {
  const program = new Command("crowdai-broker")
    .description("Serve challenges: accept submissions, have them graded and keep the leaderboard.")
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const dataOption = () =>
    new Option("--data <dir>", "folder for records and objects").default("crowdai-data");
  const withRecords = async <T>(data: string, work: (records: Records) => Promise<T>): Promise<T> => {
    const records = await openRecords(readConfig({ data }, io.env, io.cwd));
    try {
      return await work(records);
    } finally {
      await records.close();
    }
  };

  addInitCommand(program, io);
  program
    .command("start")
    .description("Start the broker; with --with-grader it also grades, in the same process.")
    .option("--port <n>", "port to listen on; 0 picks a free one", "8420")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(dataOption())
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .option("--with-grader", "also grade submissions in this process")
    .option("--concurrency <n>", "jobs to grade in parallel with --with-grader (default: one per core)")
    .action(async (flags) => {
      const stopping = new AbortController();
      const { signal } = stopping;
      io.onSignal(() => stopping.abort());
      // Loaded here: other commands, and `--help`, start in a third of the time.
      const { createBroker } = await import("../startup/broker.ts");
      const config = readConfig(flags, io.env, io.cwd);
      const log = pino(
        { level: config.logLevel, redact: ["*.apiKey", "*.key", "*.url"] },
        pino.destination({ dest: 2, sync: true }),
      );
      const start = () => createBroker({ config, log, signal });
      const broker = await retryUntilReady(start, io.stderr, { signal }).catch((error) => {
        if (error === signal.reason) return null;
        throw error;
      });
      if (!broker) return void io.stderr.write("stopped before the broker was ready\n");
      io.stderr.write(`crowdAI broker ${VERSION} listening on ${broker.url}\n`);
      for (const part of broker.parts) io.stderr.write(`  ${part}\n`);
      const failure = await Promise.race([aborted(signal), broker.failed]);
      io.stderr.write("stopping …\n");
      await broker.stop();
      // Whatever supervises it starts it again.
      if (failure) throw failure;
    });

  addParticipantCommands(program, { io, dataOption, withRecords });
  addOrganizerCommands(program, io, dataOption, withRecords);
  addChallengeCommands(program, io, dataOption);
  addSubmissionCommands(program, io, dataOption, withRecords);
  addBackupCommands(program, io, dataOption);
  addStatusCommand(program, io, dataOption, withRecords);

  return program;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
