import { existsSync } from "node:fs";
import { join } from "node:path";
import type { RunRecord, RunStage } from "@crowdai/shared";
import {
  type ChallengeFolder,
  type EnvironmentConfig,
  gradingSeconds,
  type RunConfig,
} from "@crowdai/shared/challenge-folder";
import { type Builder, buildCode } from "../run/build-code.ts";
import { PYTHON_BASE } from "../run/build-plan.ts";
import type { RunTools } from "../run/code-run.ts";
import { prepareRun } from "../run/prepare-run.ts";
import { RunFailure } from "../run/run-failure.ts";
import { runInBox } from "../run/run-in-box.ts";
import { addStage } from "../run/run-record.ts";
import { boxEnvironment, boxLimits, RUN } from "../run/stage-plan.ts";
import { lastLine, stageProblem } from "../run/stage-problem.ts";
import { createAgentDialogue } from "./agent-dialogue.ts";
import { AGENT_FOLDER, agentFiles } from "./agent-files.ts";
import type { Session } from "./session.ts";

export interface CodeAgent {
  folder: ChallengeFolder;
  environment: EnvironmentConfig;
  /** The submitted code: a folder that no other process changes, and the digest of its archive. */
  code: { dir: string; digest: string };
  /** The command that came with the submission. */
  command: readonly string[] | null;
  /** An empty folder of the job, for what is thrown away. */
  scratch: string;
  signal: AbortSignal;
  onStage(stage: RunStage): void;
  /** Receives the record as soon as there is one, and it is completed. */
  onRecord(record: RunRecord): void;
  /** For the organizer. */
  log: string[];
}

/** All that an agent may print: its requests. */
const MAX_REQUEST_BYTES = 4 * 1024 ** 3;

/**
 * Prepares and builds the code of an agent, opens its session, and lets it play to the end. Throws a
 * RunFailure when it does not.
 */
export async function playCode(
  agent: CodeAgent,
  tools: RunTools,
  openSession: () => Promise<Session>,
): Promise<Session> {
  const { folder, code, signal, log, scratch, onStage } = agent;
  const run = runOf(agent);
  const prepared = await prepareRun({ ...agent, run, field: "environment.code" }, tools);
  const { image, command, record } = prepared;
  const builder: Builder = { ...tools, ...{ image, record, log, signal, onStage } };
  using built = await buildCode({ folder, run, code, scratch }, builder);
  const session = await openSession();
  const dialogue = createAgentDialogue(session);
  const hasPython = built !== null && existsSync(join(built.dir, PYTHON_BASE));
  const end = await runInBox({
    sandbox: tools.sandbox,
    plan: {
      command,
      cwd: RUN.code,
      env: {
        ...boxEnvironment({ hasInput: false }),
        ...{ PYTHONPATH: AGENT_FOLDER, CROWDAI_AGENT_DIR: AGENT_FOLDER },
        ...(hasPython ? { PYTHONUSERBASE: `${RUN.code}/${PYTHON_BASE}` } : {}),
      },
      readable: { [RUN.code]: built === null ? code.dir : [built.dir, code.dir], ...agentFiles() },
      ...(image.root === null ? {} : { root: image.root }),
      limits: boxLimits(run.limits, "run"),
    },
    ...{ dialogue, signal, maxPrintedBytes: MAX_REQUEST_BYTES, dropsStdout: true },
  });
  const isVisible = run.logs !== "none";
  addStage(record, "play", end, end.printedBytes, { isVisible, limits: run.limits });
  const failure = dialogue.failure();
  if (end.stderr) log.push(`stderr of the agent:\n${end.stderr}`);
  if (failure !== null) throw failure;
  const { referee } = session;
  if (referee.isDone()) return session;
  const place = referee.place();
  const problem = stageProblem(end, run.limits, {
    ...{ wallSeconds: run.limits.wall_seconds, maxPrintedBytes: MAX_REQUEST_BYTES },
  });
  if (!problem)
    throw new RunFailure("agent_protocol", `The agent exited when ${referee.unfinished()} (${place}).`);
  const said = isVisible && end.ended === "exit" ? lastLine(end) : "";
  throw new RunFailure(problem.code, `The agent ${problem.what} (${place})${said ? `: ${said}` : "."}`);
}

/** Returns the settings that an agent's code and code that is run on input have in common. */
function runOf({ folder, environment: { code } }: CodeAgent): RunConfig {
  // The referee has clocks for everything. This is what they are together.
  const wall_seconds = gradingSeconds(folder.config);
  return {
    ...code,
    ...{ input: null, sample: null, output: { lines: true, feed: "one", max_bytes: MAX_REQUEST_BYTES } },
    limits: { ...code.limits, wall_seconds },
  };
}
