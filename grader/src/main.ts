import { availableParallelism, hostname, tmpdir } from "node:os";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { asCrowdaiError } from "@crowdai/shared";
import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { pino } from "pino";
import manifest from "../package.json" with { type: "json" };
import { servedChallenges } from "./challenges/served-challenges.ts";
import { createGrader } from "./jobs/grader.ts";
import { type OpenBackends, openBackends } from "./startup/open-backends.ts";
import { openWorkFolder } from "./startup/work-folder.ts";

export interface ProgramContext {
  /** The arguments after the program's name. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  stdout: Writable;
  stderr: Writable;
  /** Aborted to stop. */
  signal: AbortSignal;
  open?: OpenBackends;
}

interface StartOptions {
  data: string;
  challenges: string;
  /** Whether the folder was named by hand. */
  required: boolean;
  only?: string[];
  concurrency: number;
  grace: number;
}

/** With others there to go on with a job, waiting for it only delays its verdict, and a job of the last second is let end. */
const GRACE_SECONDS = 1;

/** How soon a challenge that was added or changed is served. */
const REFRESH_MS = 5000;

/** The program `crowdai-grader`: resolves with its exit code. */
export async function main(surroundings: ProgramContext): Promise<number> {
  const { stdout, stderr } = surroundings;
  const program = new Command("crowdai-grader")
    .description("Takes jobs, runs evaluators under limits, posts results.")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
  program
    .command("start")
    .description("grade until stopped; a first SIGINT or SIGTERM finishes or hands back what is in hand")
    .option("--challenges <dir>", "folder of challenge folders", "challenges")
    .option(
      "--data <dir>",
      "the broker's data folder, where objects are kept in it and not on S3",
      "crowdai-data",
    )
    .option("--only <id,id>", "serve these challenges alone", (value) => value.split(",").filter(Boolean))
    .option("--concurrency <n>", "most jobs at once", wholeNumber, availableParallelism())
    .option("--grace <s>", "after a stop, let jobs in hand go on for so long", seconds, GRACE_SECONDS)
    .action((options: StartOptions, command: Command) =>
      start({ ...options, required: command.getOptionValueSource("challenges") === "cli" }, surroundings),
    );
  try {
    await program.parseAsync(surroundings.args, { from: "user" });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = asCrowdaiError(thrown);
    stderr.write(`error: ${error.message}\n${error.next}\n`);
    if (error.code === "unexpected") stderr.write(`${(error.cause as Error)?.stack ?? error.cause}\n`);
    return error.exitCode;
  }
}

async function start(options: StartOptions, { env, stderr, signal, open }: ProgramContext): Promise<void> {
  const name = `${hostname()}-${process.pid}`;
  const log = pino({ name: "crowdai-grader", level: env.LOG_LEVEL ?? "info" }, stderr);
  const settings = { env, data: resolve(options.data), name, log };
  const { queue, objects, close } = await retryUntilReady(() => (open ?? openBackends)(settings), stderr);
  try {
    await using work = await openWorkFolder(tmpdir());
    const { only = null, required } = options;
    const dir = resolve(options.challenges);
    const served = await servedChallenges({ dir, only, required, objects });
    const grader = createGrader({
      name,
      queue,
      objects,
      challenges: served.folders,
      bundled: served.bundled,
      concurrency: options.concurrency,
      graceSeconds: options.grace,
      log,
      workDir: work.dir,
      path: env.PATH,
    });
    const ids = [...new Set([...served.folders().keys(), ...served.bundled()])];
    stderr.write(
      `Grader ${name} serves ${ids.join(", ") || "no challenge yet"}, ${options.concurrency} jobs at once.\n` +
        `Queue: ${queue.name}. Objects: ${objects.name}.\n`,
    );
    const refreshing = setInterval(() => {
      served.refresh().then(
        (mistakes) => {
          for (const { message } of mistakes) log.error({}, message);
        },
        (err) => log.warn({ err }, "the challenges could not be looked at again"),
      );
    }, REFRESH_MS);
    try {
      await grader.run(signal);
    } finally {
      clearInterval(refreshing);
    }
  } finally {
    await close();
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 3600)
    throw new InvalidArgumentError("It must be a number of seconds up to 3600.");
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}
