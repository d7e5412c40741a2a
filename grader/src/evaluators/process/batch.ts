import { chmod, open, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Evaluated, Evaluation, Evaluator, Verdict } from "../protocol/evaluator.ts";
import { type EvaluatorFailure, evaluatorFailure, excerpt, timedOut } from "../protocol/evaluator-failure.ts";
import { isBlank, readEvent, readLine } from "../protocol/events.ts";
import type { MetricNames } from "../protocol/metrics.ts";
import { createInbox, type Inbox, withoutBoxPaths } from "./boxed-launch.ts";
import type { EvaluatorProcess } from "./evaluator-process.ts";
import type { Launch } from "./launch.ts";
import { startProcess } from "./process.ts";
import { describeProcessEnd, processEndFailure } from "./process-end.ts";

/** How long a process may run after its result before it is killed. */
const LINGER_MS = 2000;

/**
 * Runs one process per job. The verdict waits for the process to exit, because a crash after the result voids
 * it.
 */
export function createBatchEvaluator(launch: Launch): Evaluator {
  return {
    async evaluate(job) {
      // The job is a file on stdin: it ends without a close, and a program that never reads it blocks
      // nothing.
      const jobFile = join(job.workspace, "job.json");
      const inbox = launch.box ? createInbox(dirname(job.workspace)) : null;
      try {
        await writeFile(jobFile, inbox ? inbox.enter(job) : job.line);
        if (inbox) await chmod(jobFile, 0o644);
        await using stdin = await open(jobFile, "r");
        job.signal.throwIfAborted();
        return await evaluateOne(launch, job, stdin.fd, inbox);
      } finally {
        inbox?.leave();
        inbox?.remove();
      }
    },
    close: async () => {},
  };
}

async function evaluateOne(
  launch: Launch,
  job: Evaluation,
  stdin: number,
  inbox: Inbox | null,
): Promise<Evaluated> {
  const reading = createReading(job, launch.metrics ?? null, {
    refused: (now) => child.kill(now),
    ended: () => {
      clearTimeout(timeout);
      linger = setTimeout(() => {
        lingered = true;
        void child.takeFiles().then(() => child.kill());
      }, LINGER_MS);
    },
  });
  let lingered = false;
  let linger: NodeJS.Timeout | undefined;

  const child: EvaluatorProcess = startProcess({
    launch,
    home: job.workspace,
    ...(inbox ? { inbox: inbox.folder, output: () => join(job.workspace, "output") } : {}),
    stdin,
    onLine: reading.take,
    onOutputLimit: (what) =>
      reading.refuse(evaluatorFailure("evaluator_output", `printed ${what}`, what), true),
  });
  const timeout = setTimeout(() => reading.refuse(timedOut(launch.timeoutMs)), launch.timeoutMs);
  const abort = () => child.kill();
  job.signal.addEventListener("abort", abort, { once: true });
  const end = await child.ended;
  clearTimeout(timeout);
  clearTimeout(linger);
  job.signal.removeEventListener("abort", abort);
  job.signal.throwIfAborted();

  const stderr = child.stderr();
  const failed = end.code !== 0 && !lingered;
  // A crash may truncate the last line. Otherwise the last line counts even without a newline.
  if (!failed || reading.verdict()) reading.take(end.rest);
  const verdict = reading.verdict() ?? processEndFailure(end, stderr);
  if (verdict.kind === "result" && failed)
    return {
      verdict: evaluatorFailure("evaluator_crashed", `${describeProcessEnd(end)} after its result`),
      stderr,
    };
  if (verdict.kind === "result" && inbox)
    return { verdict: { ...verdict, result: withoutBoxPaths(verdict.result) }, stderr };
  return { verdict, stderr };
}

/** Reads one job's lines into a verdict. The first failure is final and voids an earlier result. */
function createReading(
  job: Evaluation,
  metrics: MetricNames | null,
  on: { refused(now: boolean): void; ended(): void },
) {
  let verdict: Verdict | undefined;

  function refuse(found: EvaluatorFailure, now = false) {
    if (verdict?.kind === "failure") return;
    verdict = found;
    on.refused(now);
  }

  function take(bytes: Buffer) {
    if (verdict?.kind === "failure" || isBlank(bytes)) return;
    if (verdict)
      return refuse(
        evaluatorFailure(
          "evaluator_output",
          `a line after the result: ${excerpt(bytes)}`,
          "a line after the result",
        ),
      );
    const line = readLine(bytes);
    if ("kind" in line) return refuse(line);
    if (line.id !== job.id)
      return refuse(
        evaluatorFailure(
          "evaluator_output",
          `another job's id: ${excerpt(bytes)}`,
          "an event of another job",
        ),
      );
    const event = readEvent(line, job.function, metrics);
    if ("kind" in event) return refuse(event);
    if (event.type === "progress" || event.type === "log") return job.onEvent(event);
    verdict =
      event.type === "result"
        ? { kind: "result", result: event }
        : { kind: "rejected", message: event.message };
    on.ended();
  }

  return { take, refuse, verdict: () => verdict };
}
