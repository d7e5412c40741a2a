import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ChallengeFolder,
  namedMetrics,
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
  /** The memory that the process and all its descendants may use together; unlimited when absent. */
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

/** How a program starts, and the files of the grader that it needs: its driver first. */
interface Program {
  command: string[];
  files: readonly string[];
}

// Beside this file in the sources, and beside the bundle in dist/.
const driver = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const SHARED_DRIVER = driver("crowdai_driver.py");

export function planLaunch(
  { dir, config }: Pick<ChallengeFolder, "dir" | "config">,
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
  const { command, files } = programOf(evaluator, dir, config.rounds);
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
    ...("evalai" in evaluator || "codabench" in evaluator ? { metrics: evaluator } : {}),
    ...(sandbox ? { box: planBox({ dir }, evaluator, command, files, sandbox) } : {}),
    notice,
  };
}

function programOf(evaluator: ProcessConfig, dir: string, rounds: readonly { id: string }[]): Program {
  if ("command" in evaluator) return { command: evaluator.command, files: [] };
  const [name, ...args] = driverOf(evaluator, dir, rounds);
  const files = [driver(name), ...(name === "gym_environment.py" ? [] : [SHARED_DRIVER])];
  return { command: [evaluator.python, driver(name), ...args], files };
}

/**
 * Returns the driver of a Python evaluator and its arguments. The rounds are in order of start, as jobs
 * number them.
 */
function driverOf(
  evaluator: Exclude<ProcessConfig, { command: string[] }>,
  dir: string,
  rounds: readonly { id: string }[],
): [name: string, ...args: string[]] {
  if ("gym" in evaluator) return ["gym_environment.py", ...evaluator.gym.split(":")];
  if ("codabench" in evaluator) {
    const { codabench, reference, detailed_results } = evaluator;
    const ofRounds =
      typeof reference === "object" ? rounds.map(({ id }) => reference?.[id] ?? null) : reference;
    const command = readProgramMetadata(join(dir, codabench))?.command ?? "";
    return ["codabench.py", codabench, command, JSON.stringify(ofRounds), JSON.stringify(detailed_results)];
  }
  if ("evalai" in evaluator) {
    const { evalai: script, annotations, private_results } = evaluator;
    const phases = rounds.map(({ id }) => id);
    const named = { metrics: namedMetrics(evaluator), private: private_results };
    return ["evalai.py", JSON.stringify({ script, annotations, ...named, rounds: phases })];
  }
  if ("kaggle" in evaluator) {
    const { kaggle, solution, row_id, args, allow_empty, pass_complete_submission } = evaluator;
    const [script, name] = kaggle.split(":");
    const settings = {
      script,
      function: name,
      solution,
      row_id,
      args,
      allow_empty,
      pass_complete_submission,
    };
    return ["kaggle.py", JSON.stringify(settings)];
  }
  const { python_class, args, private_results } = evaluator;
  const [file, name] = python_class.split(":") as [string, string];
  return ["python_class.py", file, name, JSON.stringify(args), JSON.stringify(private_results)];
}

function modeOf(evaluator: ProcessConfig): Launch["mode"] {
  if ("command" in evaluator) return evaluator.mode;
  if ("gym" in evaluator) return "environment";
  if ("codabench" in evaluator) return "batch";
  return evaluator.fresh ? "batch" : "persistent";
}

/**
 * Makes the order of sets in Python the same in each process: an environment must do the same steps again.
 */
export function repeatable({ mode }: Pick<Launch, "mode">): Record<string, string> {
  return mode === "environment" ? { PYTHONHASHSEED: "0" } : {};
}

/**
 * Returns the entire environment of an evaluator. From the grader it takes only PATH, so that an evaluator
 * cannot read keys or the addresses of databases and stores. Python writes no cache into the challenge
 * folder.
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
