import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluated, Evaluation, Evaluator, Verdict } from "../protocol/evaluator.ts";
import { excerpt, type Fault, fault, timedOut } from "../protocol/evaluator-failure.ts";
import { isBlank, readEvent, readLine } from "../protocol/events.ts";
import type { Launch } from "./launch.ts";
import { type EvaluatorProcess, startProcess } from "./process.ts";
import { describeProcessEnd, faultOfProcessEnd } from "./process-end.ts";

/** How long a process may go on after its result before it is ended. */
const LINGER_MS = 2000;

/** One process a job. The verdict is given when the process is gone, as what it still does can refuse the result. */
export function createBatchEvaluator(launch: Launch): Evaluator {
  return {
    async evaluate(job) {
      // The job is a file on stdin: it has its end from the start, and a program that never reads it blocks nobody.
      const jobFile = join(job.workspace, "job.json");
      await writeFile(jobFile, job.line);
      await using stdin = await open(jobFile, "r");
      job.signal.throwIfAborted();
      return await evaluateOne(launch, job, stdin.fd);
    },
    close: async () => {},
  };
}

async function evaluateOne(launch: Launch, job: Evaluation, stdin: number): Promise<Evaluated> {
  const reading = createReading(job, {
    refused: (now) => child.kill(now),
    ended: () => {
      clearTimeout(timeout);
      linger = setTimeout(() => {
        lingered = true;
        child.kill();
      }, LINGER_MS);
    },
  });
  let lingered = false;
  let linger: NodeJS.Timeout | undefined;

  const child: EvaluatorProcess = startProcess({
    launch,
    home: job.workspace,
    stdin,
    onLine: reading.take,
    onOutputLimit: (what) => reading.refuse(fault("evaluator_output", `printed ${what}`, what), true),
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
  // A line cut off by a crash is the crash's doing; any other last line needs no new line to count.
  if (!failed || reading.verdict()) reading.take(end.rest);
  const verdict = reading.verdict() ?? faultOfProcessEnd(end, stderr);
  if (verdict.kind === "result" && failed)
    return { verdict: fault("evaluator_crashed", `${describeProcessEnd(end)} after its result`), stderr };
  return { verdict, stderr };
}

/** Reads one job's lines into a verdict. The first fault stands, and takes a result back. */
function createReading(job: Evaluation, on: { refused(now: boolean): void; ended(): void }) {
  let verdict: Verdict | undefined;

  function refuse(found: Fault, now = false) {
    if (verdict?.kind === "fault") return;
    verdict = found;
    on.refused(now);
  }

  function take(bytes: Buffer) {
    if (verdict?.kind === "fault" || isBlank(bytes)) return;
    if (verdict)
      return refuse(fault("evaluator_output", `after its end: ${excerpt(bytes)}`, "a line after its end"));
    const line = readLine(bytes);
    if ("kind" in line) return refuse(line);
    if (line.id !== job.id)
      return refuse(
        fault("evaluator_output", `another job's id: ${excerpt(bytes)}`, "an event of another job"),
      );
    const event = readEvent(line.fields, job.function);
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
