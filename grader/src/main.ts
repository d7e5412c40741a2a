import { availableParallelism, hostname, tmpdir } from "node:os";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { fileSystemError } from "@crowdai/shared/file-system-error";
import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { pino } from "pino";
import manifest from "../package.json" with { type: "json" };
import { servedChallenges } from "./challenges/served-challenges.ts";
import { createGrader } from "./jobs/grader.ts";
import { type OpenBackends, openBackends } from "./startup/open-backends.ts";
import { sandboxNameOf } from "./startup/sandbox-name.ts";
import { tryCode } from "./startup/try-code.ts";
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
  /** Whether `--challenges` was given explicitly. */
  required: boolean;
  only?: string[];
  concurrency: number;
  grace: number;
}

/** Short, because another grader can take over a job: a longer wait would only delay its result. */
const GRACE_SECONDS = 1;

/** How often challenges are reloaded, which is how soon a new or changed one is served. */
const REFRESH_MS = 5000;

/** Runs the program `crowdai-grader` and resolves with its exit code. */
export async function main(context: ProgramContext): Promise<number> {
  const { stdout, stderr } = context;
  const program = new Command("crowdai-grader")
    .description("Take jobs from the queue, run evaluators under limits, and report the results.")
    .version(manifest.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
  program
    .command("start")
    .description(
      "Grade submissions until stopped. On SIGINT or SIGTERM, finish running jobs or return them to the queue.",
    )
    .option("--challenges <dir>", "folder that contains the challenge folders", "challenges")
    .option(
      "--data <dir>",
      "data folder of the broker, when objects are stored there and not in S3",
      "crowdai-data",
    )
    .option("--only <id,id>", "serve only these challenges", (value) => value.split(",").filter(Boolean))
    .option(
      "--concurrency <n>",
      "maximum number of jobs to run at the same time",
      wholeNumber,
      availableParallelism(),
    )
    .option("--grace <s>", "after a stop, seconds to wait for running jobs to finish", seconds, GRACE_SECONDS)
    .action((options: StartOptions, command: Command) =>
      start({ ...options, required: command.getOptionValueSource("challenges") === "cli" }, context),
    );
  let exitCode = 0;
  program
    .command("try")
    .description(
      "Run a project as a submission to a challenge that runs code or hosts an environment, in a box on this machine.",
    )
    .argument("<challenge>", "the challenge folder")
    .argument("<project>", "the folder with the code")
    .addOption(
      new Option("--format <format>", "form of the result").choices(["text", "json"]).default("text"),
    )
    .action(async (challenge: string, project: string, { format }: { format: "text" | "json" }) => {
      const { env, signal } = context;
      const path = env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
      const sandbox = sandboxNameOf(env);
      exitCode = await tryCode({ challenge, project, format, path, sandbox, stdout, stderr, signal });
    });
  try {
    await program.parseAsync(context.args, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error =
      thrown instanceof CrowdaiError ? thrown : (fileSystemError(thrown) ?? asCrowdaiError(thrown));
    stderr.write(`error[${error.code}]: ${error.message}\n`);
    if (error.code === "unexpected") stderr.write(`${(error.cause as Error)?.stack ?? error.cause}\n`);
    else stderr.write(`  ${error.next}\n`);
    return error.exitCode;
  }
}

async function start(options: StartOptions, context: ProgramContext): Promise<void> {
  try {
    await serve(options, context);
  } catch (error) {
    // A grader that is stopped in its start ends as one that ran.
    if (error !== context.signal.reason) throw error;
  }
}

async function serve(options: StartOptions, { env, stderr, signal, open }: ProgramContext): Promise<void> {
  const sandbox = sandboxNameOf(env);
  const name = `${hostname()}-${process.pid}`;
  const log = pino({ name: "crowdai-grader", level: env.LOG_LEVEL ?? "info" }, stderr);
  const settings = { env, data: resolve(options.data), name, log };
  const { queue, objects, steps, close } = await retryUntilReady(
    () => (open ?? openBackends)(settings),
    stderr,
    { signal },
  );
  try {
    signal.throwIfAborted();
    await using work = await openWorkFolder(tmpdir());
    const { only = null, required } = options;
    const dir = resolve(options.challenges);
    const served = await servedChallenges({ dir, only, required, objects });
    signal.throwIfAborted();
    const grader = createGrader({
      name,
      queue,
      objects,
      steps,
      challenges: served.folders,
      bundled: served.bundled,
      concurrency: options.concurrency,
      graceSeconds: options.grace,
      log,
      workDir: work.dir,
      sandbox,
      path: env.PATH,
    });
    const ids = [...new Set([...served.folders().keys(), ...served.bundled().keys()])];
    stderr.write(
      `Grader ${name} serves ${ids.join(", ") || "no challenges yet"}, up to ${options.concurrency} jobs at a time.\n` +
        `Queue: ${queue.name}. Objects: ${objects.name}.\n`,
    );
    const refreshing = setInterval(() => {
      served.refresh().then(
        (problems) => {
          for (const { message } of problems) log.error({ event: "challenge_invalid" }, message);
        },
        (err) => log.warn({ event: "challenge_reload_failed", err }, "challenge reload failed"),
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
    throw new InvalidArgumentError("Must be a number of seconds, at most 3600.");
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Must be a positive integer.");
  return value;
}
