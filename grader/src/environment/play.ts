import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  CrowdaiError,
  type EnvironmentRecord,
  type ErrorCode,
  type Job,
  type RunRecord,
  type RunStage,
} from "@crowdai/shared";
import type { ChallengeFolder, EnvironmentConfig } from "@crowdai/shared/challenge-folder";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Launch } from "../evaluators/process/launch.ts";
import type { LiveEvaluatorEvent } from "../evaluators/protocol/events.ts";
import type { RunTools } from "../run/code-run.ts";
import { RunFailure } from "../run/run-failure.ts";
import { type Environment, startEnvironment } from "./environment-process.ts";
import { playCode } from "./play-code.ts";
import { playRemote } from "./play-remote.ts";
import { seedsOf } from "./seeds.ts";
import { openSession, type Session, type SessionVerdict } from "./session.ts";
import { readStepLog } from "./step-log.ts";

export interface PlayOptions {
  job: Job;
  folder: ChallengeFolder;
  environment: EnvironmentConfig;
  launch: Launch;
  grader: string;
  /** A folder of the job. */
  dir: string;
  /** The submitted code of an agent, and what runs it. */
  code: { dir: string; digest: string; command: readonly string[] | null } | null;
  runTools: (() => RunTools) | null;
  /** Carries the requests of remote agents. */
  steps: StepChannel | null;
  /** The file of a stored step log, to be done again. */
  replay: string | null;
  signal: AbortSignal;
  onEvent(event: LiveEvaluatorEvent): void;
  onStage(stage: RunStage): void;
}

/** How a session ended. */
export interface Played {
  verdict: SessionVerdict | { kind: "failure"; code: ErrorCode; message: string };
  environment: EnvironmentRecord | null;
  run: RunRecord | null;
  /** The step log. Null when the environment did not start. */
  stepLog: string | null;
  /** The folder of the files that the result names. */
  output: string;
  /** Whether a reset was answered. */
  started: boolean;
  /** For the organizer: what agent and environment printed, and notices. */
  log: string;
  /** The part that is not of the agent's code. */
  environmentLog: string;
}

/**
 * Plays a session to its end. Every verdict is a value. Throws only when this machine fails, and on abort.
 */
export async function play(options: PlayOptions): Promise<Played> {
  const { job, folder, environment: config, launch, dir, signal } = options;
  const log: string[] = [];
  const agentLog: string[] = [];
  const agent = options.replay !== null ? "replay" : options.code !== null ? "code" : "remote";
  const seeds = await seedsOf(job, folder, config);
  let session: Session | null = null;
  let run: RunRecord | null = null;
  const environments: Environment[] = [];

  const start = async () => {
    const started = await startEnvironment({
      ...{ launch, id: job.submission, folder: join(dir, `environment-${environments.length + 1}`) },
      resetMs: config.limits.reset_seconds * 1000,
      stepMs: config.limits.env_step_seconds * 1000,
      closeMs: launch.timeoutMs,
      needsScore: config.score === "result",
      onEvent: options.onEvent,
    });
    environments.push(started);
    if (signal.aborted) await started.end();
    return started;
  };
  /** Nothing of the environments is left then. What waits for them fails. */
  const endAll = () => Promise.all(environments.map((one) => one.end()));
  let sessions = 0;
  const open = async () => {
    signal.throwIfAborted();
    // The session is begun again: another grader had it in the meantime.
    await endAll();
    await session?.end(agent, options.grader);
    const sessionFolder = sessions++ === 0 ? dir : join(dir, `session-${sessions}`);
    await mkdir(sessionFolder, { recursive: true, mode: 0o700 });
    signal.throwIfAborted();
    session = await openSession({
      ...{ id: job.submission, challenge: folder.config.id, version: folder.version, round: job.round },
      ...{ config, seeds, start, folder: sessionFolder },
      agent: agent === "code" ? "code" : "remote",
      onProgress: (percent, message) => options.onEvent({ type: "progress", percent, message }),
      onStarted: () => options.onStage("play"),
    });
    return session;
  };

  async function playAs(): Promise<Session> {
    if (options.replay !== null) return await playAgain(await open(), options.replay);
    if (options.code === null) {
      if (!options.steps)
        throw new CrowdaiError("sandbox_unavailable", "This grader cannot be reached by remote agents.");
      const { deterministic, limits } = config;
      const remote = { id: job.submission, deterministic, idleMs: limits.idle_seconds * 1000, signal };
      return await playRemote(remote, options.steps, open);
    }
    if (!options.runTools) throw new CrowdaiError("sandbox_unavailable");
    const scratch = join(dir, "scratch");
    await mkdir(scratch, { mode: 0o700 });
    return await playCode(
      {
        ...{ folder, environment: config, scratch, signal, log: agentLog, onStage: options.onStage },
        ...{ code: options.code, command: options.code.command },
        onRecord: (record) => {
          run = record;
        },
      },
      options.runTools(),
      open,
    );
  }

  let verdict: Played["verdict"];
  const abort = () => void endAll();
  signal.addEventListener("abort", abort, { once: true });
  try {
    const played = await playAs();
    verdict = await played.finish();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunFailure)) throw error;
    if (error.detail) log.push(error.detail);
    verdict = { kind: "failure", code: error.code, message: error.message };
  } finally {
    signal.removeEventListener("abort", abort);
    await endAll();
  }
  const opened = session as Session | null;
  const ended = opened && (await opened.end(agent, options.grader));
  if (ended?.log) log.push(ended.log);
  return {
    ...{ verdict, run, environment: ended?.record ?? null, stepLog: ended?.stepLog ?? null },
    output: opened?.output() ?? dir,
    started: opened?.referee.hasStarted() ?? false,
    log: [...agentLog, ...log].join("\n"),
    environmentLog: log.join("\n"),
  };
}

async function playAgain(session: Session, path: string): Promise<Session> {
  await session.playAgain(readStepLog(createReadStream(path)), { resumes: false });
  if (session.referee.isDone()) return session;
  throw new RunFailure("agent_protocol", `The step log ends when ${session.referee.unfinished()}.`);
}
