import { createHash, randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { CrowdaiError, catalog, type Job, type Outcome, type RunStage } from "@crowdai/shared";
import { type ChallengeFolder, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { createFolderStore } from "@crowdai/shared/objects";
import type { SandboxName } from "@crowdai/shared/sandbox-names";
import type { Logger } from "../base/log.ts";
import { requireBox } from "../jobs/boxes.ts";
import { grade } from "../jobs/grade-job.ts";
import type { Graded } from "../jobs/graded-result.ts";
import { type Prepared, prepare } from "../jobs/prepare-input.ts";
import { openRunResources } from "../jobs/run-resources.ts";
import { runToolsOf } from "../jobs/run-tools.ts";
import { packProject } from "./project-files.ts";
import { openWorkFolder } from "./work-folder.ts";

export interface TryOptions {
  challenge: string;
  project: string;
  format: "text" | "json";
  path: string;
  sandbox: SandboxName;
  stdout: Writable;
  stderr: Writable;
  signal: AbortSignal;
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Runs a project as the submission of a challenge on this machine, and prints what happens. Returns the exit
 * code.
 */
export async function tryCode(options: TryOptions): Promise<number> {
  const { stdout, stderr, signal } = options;
  const dir = resolve(options.challenge);
  const { folder, publicPart } = await loadWholeOrPublic(dir);
  requireRunnable(folder, publicPart);
  const code = await packProject(options.project, folder.config.accepts.code!.max_bytes);
  stderr.write(`Trying ${code.files} files with ${folder.config.id}, in the boxes of this machine.\n`);
  if (publicPart) stderr.write("The private input is not here: the code is run on the sample alone.\n");
  const graded = await gradeProject(folder, code, publicPart, options);
  signal.throwIfAborted();
  if (options.format === "json")
    stdout.write(`${JSON.stringify({ schema_version: 1, outcome: graded.outcome }, null, 2)}\n`);
  else printText(graded, options);
  return graded.outcome.ok ? 0 : catalog[graded.outcome.code].exit;
}

/** Throws usage when the challenge runs no code, or what it needs for that is not here. */
function requireRunnable({ config }: ChallengeFolder, publicPart: boolean): void {
  const { id, run, environment } = config;
  if (!run && !environment?.agents.includes("code"))
    throw new CrowdaiError(
      "usage",
      environment
        ? `The challenge ${id} takes remote agents alone: its environment.agents has no "code".`
        : `The challenge ${id} does not run code: its challenge.json has neither "run" nor "environment".`,
    );
  if (publicPart && !run)
    throw new CrowdaiError(
      "usage",
      "There is nothing to play with: the folder has the public part of the challenge alone, without the environment.",
    );
  if (publicPart && run?.sample === null)
    throw new CrowdaiError(
      "usage",
      "There is nothing to run the code on: the challenge has no sample, and its private input is not here.",
    );
}

/** Loads a challenge folder, or what participants have of it. */
async function loadWholeOrPublic(dir: string): Promise<{ folder: ChallengeFolder; publicPart: boolean }> {
  try {
    return { folder: await loadChallengeFolder(dir), publicPart: false };
  } catch (error) {
    if (!existsSync(dir) || existsSync(join(dir, "private"))) throw error;
    return { folder: await loadChallengeFolder(dir, { publicPart: true }), publicPart: true };
  }
}

async function gradeProject(
  folder: ChallengeFolder,
  code: { archive: Buffer; command: string[] | null },
  sampleOnly: boolean,
  { path, sandbox, stderr, signal }: TryOptions,
): Promise<Graded> {
  await using work = await openWorkFolder(tmpdir());
  const objects = await createFolderStore({
    folder: join(work.dir, "objects"),
    baseUrl: () => "",
    secret: randomBytes(32),
  });
  const key = "submissions/try/code";
  await objects.put(key, code.archive);
  await using resources = await openRunResources({
    sandbox,
    workDir: work.dir,
    objects,
    path,
    recheckMs: 1000,
    log: quiet,
  });
  await requireBox(folder, resources.boxes);
  await using workspace = resources.workspaces.take();
  const sha256 = createHash("sha256").update(code.archive).digest("hex");
  const job: Job = {
    ...{
      submission: "try",
      attempt: 1,
      challenge: folder.config.id,
      function: "submit",
      round: 1,
      dry_run: true,
    },
    input: { kind: "code", command: code.command },
    code: { key, sha256, size: code.archive.length },
    version: null,
    seeds: trySeeds(folder, stderr),
  };
  const grading = {
    ...{ job, folder, workspace, objects, signal, sampleOnly, grader: "try" },
    runTools: () => runToolsOf({ ...resources, grader: "try" }),
    onStage: (stage: RunStage) => void stderr.write(`${stage} …\n`),
  };
  if (sampleOnly) return gradedSample(await prepare(grading), folder.version);
  return await grade({
    ...{ ...grading, ...resources.evaluators.of(folder) },
    onEvent({ message }) {
      if (message) stderr.write(`  ${message}\n`);
    },
  });
}

/** Draws seeds as a broker would. Null when the challenge lists them, or has no environment. */
function trySeeds({ config }: ChallengeFolder, stderr: Writable): number[] | null {
  const { seeds } = config.environment ?? {};
  if (!seeds || !("count" in seeds)) return null;
  const drawn = Array.from({ length: seeds.count }, () => randomInt(2 ** 31));
  stderr.write(`Seeds: ${drawn.slice(0, 20).join(", ")}${drawn.length > 20 ? ", …" : ""}\n`);
  return drawn;
}

/** The outcome of a run on the sample, which has no score. */
function gradedSample(prepared: Prepared, evaluator_version: string): Graded {
  const common = { evaluator_version, run: prepared.record };
  const { log } = prepared;
  const outcome: Outcome = prepared.ok
    ? {
        ...{ ok: true, score: null, score_secondary: null, message: null, meta: {}, data: null },
        ...{ media: null, artifacts: [], ...common },
      }
    : { ok: false, code: prepared.code, message: prepared.message, ...common };
  return { outcome, organizerLog: log, evaluatorLog: "" };
}

function printText({ outcome, organizerLog }: Graded, { stdout, stderr }: TryOptions): void {
  for (const { stage, cached, ended, exit_code, wall_seconds, cpu_seconds, peak_memory_bytes } of outcome.run
    ?.stages ?? []) {
    const end = exit_code === null ? ended : `exit code ${exit_code}`;
    const memory = `${Math.ceil(peak_memory_bytes / 1024 / 1024)} MB`;
    stderr.write(
      cached
        ? `${stage}: built before\n`
        : `${stage}: ${end}, ${wall_seconds} s, ${cpu_seconds} s of processor time, ${memory}\n`,
    );
  }
  for (const { episode, steps, return: total, ended } of outcome.environment?.episodes ?? [])
    stderr.write(`episode ${episode}: ${steps} steps, return ${total}, ${ended}\n`);
  if (organizerLog) stderr.write(`\n${organizerLog}\n\n`);
  stdout.write(`${resultText(outcome)}\n`);
}

function resultText(outcome: Outcome): string {
  if (!outcome.ok) return `error[${outcome.code}]: ${outcome.message}`;
  const { score, score_secondary, message } = outcome;
  if (score === null && score_secondary === null) return "The code ran on the sample.";
  const scores = [score, score_secondary].filter((one) => one !== null).join(", ");
  return `score ${scores}${message ? `\n${message}` : ""}`;
}
