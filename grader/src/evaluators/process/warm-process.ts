import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { Evaluated, Evaluation, Verdict } from "../protocol/evaluator.ts";
import { type EvaluatorFailure, evaluatorFailure, excerpt, timedOut } from "../protocol/evaluator-failure.ts";
import { isBlank, readEvent, readLine } from "../protocol/events.ts";
import { type Inbox, withoutBoxPaths } from "./boxed-launch.ts";
import type { ProcessEnd } from "./evaluator-process.ts";
import type { Launch } from "./launch.ts";
import { startProcess } from "./process.ts";
import { processEndFailure } from "./process-end.ts";

/** An evaluator process that takes one job after another. */
export interface WarmProcess {
  /**
   * Resolves with "again" when the job is not the cause of a failure: the process had exited, or still
   * printed events of an earlier job. A fresh process can then evaluate the job.
   */
  evaluate(job: Evaluation): Promise<Evaluated | "again">;
  /** Whether it can take another job. */
  usable(): boolean;
  kill(): void;
  readonly ended: Promise<ProcessEnd>;
}

/** How many earlier job ids are remembered, to recognize late events. */
const REMEMBERED = 1000;

interface Current {
  job: Evaluation;
  hasEvents: boolean;
  /** Recorded when found, returned when the process has exited. */
  failure?: EvaluatorFailure | "again";
  resolve(evaluated: Evaluated | "again"): void;
  reject(reason: unknown): void;
  release(): void;
}

export function startWarmProcess(launch: Launch, home: string, inbox: Inbox | null = null): WarmProcess {
  let current: Current | null = null;
  let alive = true;
  /** Where the files of a boxed job go; null when its result names none. */
  let output: string | null = null;
  const earlier = new Set<string>();

  const child = startProcess({
    launch,
    home,
    ...(inbox ? { inbox: inbox.folder, output: () => output } : {}),
    stdin: "pipe",
    onLine: take,
    onOutputLimit: (what) => refuse(evaluatorFailure("evaluator_output", `printed ${what}`, what), true),
  });
  child.ended.then(onEnd);

  function refuse(found: EvaluatorFailure | "again", now = false) {
    alive = false;
    if (current) current.failure ??= found;
    child.kill(now);
  }

  function settle(verdict: Verdict) {
    const { job, resolve, release } = current!;
    current = null;
    release();
    earlier.add(job.id);
    if (earlier.size > REMEMBERED) earlier.delete(earlier.values().next().value!);
    if (!inbox) return resolve({ verdict, stderr: child.stderr() });
    const { result } = verdict.kind === "result" ? verdict : { result: null };
    output = result?.media || result?.artifacts?.length ? join(job.workspace, "output") : null;
    void child.takeFiles().then(() => {
      inbox.leave();
      resolve({
        verdict: result ? { kind: "result", result: withoutBoxPaths(result) } : verdict,
        stderr: child.stderr(),
      });
    });
  }

  function take(bytes: Buffer) {
    if (current?.failure || isBlank(bytes)) return;
    // Output without a job: the process is out of step, so its next result could not be trusted.
    if (!current) return refuse("again");
    const line = readLine(bytes);
    if ("kind" in line) return refuse(line);
    if (line.id !== current.job.id)
      return earlier.has(line.id)
        ? refuse("again")
        : refuse(
            evaluatorFailure(
              "evaluator_output",
              `another job's id: ${excerpt(bytes)}`,
              "an event of another job",
            ),
          );
    current.hasEvents = true;
    const event = readEvent(line, current.job.function, launch.metrics ?? null);
    if ("kind" in event) return refuse(event);
    if (event.type === "progress" || event.type === "log") return current.job.onEvent(event);
    settle(
      event.type === "result"
        ? { kind: "result", result: event }
        : { kind: "rejected", message: event.message },
    );
  }

  function onEnd(end: ProcessEnd) {
    alive = false;
    // The last line may lack a newline.
    if (current && !current.failure && end.code === 0) take(end.rest);
    if (!current) return;
    const { job, hasEvents, resolve, reject, release } = current;
    let found = current.failure;
    current = null;
    release();
    inbox?.leave();
    if (job.signal.aborted) return reject(job.signal.reason);
    // It exited in good order after earlier jobs, before it read this one.
    if (!found && end.code === 0 && !hasEvents && earlier.size > 0) found = "again";
    try {
      const stderr = child.stderr();
      resolve(found === "again" ? "again" : { verdict: found ?? processEndFailure(end, stderr), stderr });
    } catch (error) {
      reject(error);
    }
  }

  return {
    evaluate(job) {
      if (!alive) return Promise.resolve("again");
      return new Promise((resolve, reject) => {
        if (current)
          throw new CrowdaiError("unexpected", "A warm process received two jobs at the same time.");
        if (job.signal.aborted) return reject(job.signal.reason);
        const line = inbox ? inbox.enter(job) : job.line;
        const abort = () => refuse("again");
        const timeout = setTimeout(() => refuse(timedOut(launch.timeoutMs)), launch.timeoutMs);
        const release = () => {
          clearTimeout(timeout);
          job.signal.removeEventListener("abort", abort);
        };
        job.signal.addEventListener("abort", abort, { once: true });
        current = { job, hasEvents: false, resolve, reject, release };
        child.startJob();
        child.write(line);
      });
    },
    usable: () => alive,
    kill: () => refuse("again"),
    ended: child.ended,
  };
}
