import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ChallengeConfig,
  type ChallengeFolder,
  type CodabenchConfig,
  type ProcessConfig,
  readProgramMetadata,
} from "@crowdai/shared/challenge-folder";
import { limitPrefix, type ProcessLimitTools } from "@crowdai/shared/process-limits";
import type { Sandbox } from "../../box/sandbox.ts";
import type { Confinement } from "../../confinement/confinement.ts";
import type { MetricNames } from "../protocol/metrics.ts";
import { type BoxedLaunch, planBox } from "./boxed-launch.ts";

/** Everything needed to start a challenge's evaluator. */
export interface Launch {
  argv: readonly [string, ...string[]];
  cwd: string;
  path: string;
  mode: "batch" | "persistent" | "environment";
  timeoutMs: number;
  /** What the process and all its descendants may use together; unlimited when absent. */
  memoryBytes?: number | null;
  /** Default: what can be found from the process. */
  confinement?: Confinement;
  /** The box that it runs in; without it, it runs as a process of this machine. */
  box?: BoxedLaunch;
  /** Which metrics are the scores, for evaluators that name their metrics. */
  metrics?: MetricNames;
  /** A note for the organizer when a limit could not be set. */
  notice: string | null;
}

// Beside this file in the sources, and beside the bundle in dist/.
const DRIVER = fileURLToPath(new URL("./python_class.py", import.meta.url));

const CODABENCH_DRIVER = fileURLToPath(new URL("./codabench.py", import.meta.url));

const GYM_DRIVER = fileURLToPath(new URL("./gym_environment.py", import.meta.url));

const DRIVERS = [DRIVER, GYM_DRIVER, CODABENCH_DRIVER];

type PythonConfig = Extract<ProcessConfig, { python_class: string }>;

export function planLaunch(
  { dir, config }: Pick<ChallengeFolder, "dir"> & { config?: Pick<ChallengeConfig, "rounds"> },
  evaluator: ProcessConfig,
  limitTools: ProcessLimitTools,
  path: string,
  confinement?: Confinement,
  sandbox?: Sandbox | null,
): Launch {
  const memoryBytes = evaluator.memory_mb === null ? null : evaluator.memory_mb * 1024 * 1024;
  const memory = memoryBytes === null ? [] : [`--data=${memoryBytes}`];
  const notice =
    evaluator.memory_mb !== null && !sandbox && !limitTools.prlimit
      ? `The memory limit of ${evaluator.memory_mb} MB was not set: prlimit (util-linux) is not installed.`
      : null;
  const command = commandOf(evaluator, dir, config?.rounds.map(({ id }) => id) ?? []);
  // Resolved here, because runtimes differ in how they look up a relative program.
  const program = command[0]!.includes("/") ? resolve(dir, command[0]!) : command[0]!;
  const argv = [
    // No further limits: the grader kills an evaluator with all its descendants.
    ...limitPrefix(limitTools, memory),
    program,
    ...command.slice(1),
  ] as [string, ...string[]];
  return {
    argv,
    cwd: dir,
    path,
    mode: modeOf(evaluator),
    timeoutMs: evaluator.timeout_seconds * 1000,
    memoryBytes,
    ...(confinement ? { confinement } : {}),
    ...("codabench" in evaluator ? { metrics: evaluator } : {}),
    ...(sandbox ? { box: planBox({ dir }, evaluator, command, DRIVERS, sandbox) } : {}),
    notice,
  };
}

/** The rounds are in order of start, as jobs number them. */
function commandOf(evaluator: ProcessConfig, dir: string, rounds: readonly string[]): string[] {
  if ("command" in evaluator) return evaluator.command;
  if ("codabench" in evaluator) return codabenchCommand(evaluator, dir, rounds);
  return "gym" in evaluator
    ? [evaluator.python, GYM_DRIVER, ...evaluator.gym.split(":")]
    : pythonCommand(evaluator);
}

function modeOf(evaluator: ProcessConfig): Launch["mode"] {
  if ("command" in evaluator) return evaluator.mode;
  if ("gym" in evaluator) return "environment";
  if ("codabench" in evaluator) return "batch";
  return evaluator.fresh ? "batch" : "persistent";
}

function pythonCommand(evaluator: PythonConfig): string[] {
  const [file, name] = evaluator.python_class.split(":") as [string, string];
  const { python, args, private_results } = evaluator;
  return [python, DRIVER, file, name, JSON.stringify(args), JSON.stringify(private_results)];
}

function codabenchCommand(evaluator: CodabenchConfig, dir: string, rounds: readonly string[]): string[] {
  const { python, codabench, reference, detailed_results } = evaluator;
  const ofRounds = typeof reference === "object" ? rounds.map((id) => reference?.[id] ?? null) : reference;
  const command = readProgramMetadata(join(dir, codabench))?.command ?? "";
  const args = [codabench, command, JSON.stringify(ofRounds), JSON.stringify(detailed_results)];
  return [python, CODABENCH_DRIVER, ...args];
}

/** Makes the order of sets in Python the same in each process: an environment must do the same steps again. */
export function repeatable({ mode }: Pick<Launch, "mode">): Record<string, string> {
  return mode === "environment" ? { PYTHONHASHSEED: "0" } : {};
}

/**
 * Returns the entire environment of an evaluator. From the grader it takes only PATH, so that an evaluator cannot read keys or
 * the addresses of databases and stores. Python writes no cache into the challenge folder.
 */
export function evaluatorEnvironment(path: string, home: string): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    LANG: "C.UTF-8",
    PYTHONUNBUFFERED: "1",
    PYTHONIOENCODING: "utf-8",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}
