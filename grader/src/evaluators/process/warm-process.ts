import { CrowdaiError } from "@crowdai/shared";
import type { Evaluated, Evaluation, Verdict } from "../protocol/evaluator.ts";
import { excerpt, type Fault, fault, timedOut } from "../protocol/evaluator-failure.ts";
import { isBlank, readEvent, readLine } from "../protocol/events.ts";
import type { Launch } from "./launch.ts";
import { type ProcessEnd, startProcess } from "./process.ts";
import { faultOfProcessEnd } from "./process-end.ts";

/** An evaluator process that takes job after job, one at a time. */
export interface WarmProcess {
  /**
   * "again" means that the job is not to blame: the process had ended, or was still talking of an earlier job.
   * It can then be evaluated by a fresh process.
   */
  evaluate(job: Evaluation): Promise<Evaluated | "again">;
  /** False once it may take no further job. */
  usable(): boolean;
  kill(): void;
  readonly ended: Promise<ProcessEnd>;
}

/** How many earlier jobs a process is recognised by, when it talks of one of them again. */
const REMEMBERED = 1000;

interface Current {
  job: Evaluation;
  heard: boolean;
  /** Known before the process is gone, given after. */
  fault?: Fault | "again";
  resolve(evaluated: Evaluated | "again"): void;
  reject(reason: unknown): void;
  release(): void;
}

export function startWarmProcess(launch: Launch, home: string): WarmProcess {
  let current: Current | null = null;
  let alive = true;
  const earlier = new Set<string>();

  const child = startProcess({
    launch,
    home,
    stdin: "pipe",
    onLine: take,
    onOutputLimit: (what) => refuse(fault("evaluator_output", `printed ${what}`, what), true),
  });
  child.ended.then(onEnd);

  function refuse(found: Fault | "again", now = false) {
    alive = false;
    if (current) current.fault ??= found;
    child.kill(now);
  }

  function settle(verdict: Verdict) {
    const { job, resolve, release } = current!;
    current = null;
    release();
    earlier.add(job.id);
    if (earlier.size > REMEMBERED) earlier.delete(earlier.values().next().value!);
    resolve({ verdict, stderr: child.stderr() });
  }

  function take(bytes: Buffer) {
    if (current?.fault || isBlank(bytes)) return;
    // A word nobody asked for: the process has lost its place, and its next answer could not be trusted.
    if (!current) return refuse("again");
    const line = readLine(bytes);
    if ("kind" in line) return refuse(line);
    if (line.id !== current.job.id)
      return earlier.has(line.id)
        ? refuse("again")
        : refuse(fault("evaluator_output", `another job's id: ${excerpt(bytes)}`, "an event of another job"));
    current.heard = true;
    const event = readEvent(line.fields, current.job.function);
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
    // A last line without its new line.
    if (current && !current.fault && end.code === 0) take(end.rest);
    if (!current) return;
    const { job, heard, resolve, reject, release } = current;
    let found = current.fault;
    current = null;
    release();
    if (job.signal.aborted) return reject(job.signal.reason);
    // It had served and left in order before this job was read.
    if (!found && end.code === 0 && !heard && earlier.size > 0) found = "again";
    try {
      const stderr = child.stderr();
      resolve(found === "again" ? "again" : { verdict: found ?? faultOfProcessEnd(end, stderr), stderr });
    } catch (error) {
      reject(error);
    }
  }

  return {
    evaluate(job) {
      if (!alive) return Promise.resolve("again");
      return new Promise((resolve, reject) => {
        if (current) throw new CrowdaiError("unexpected", "A warm process was given two jobs at once.");
        if (job.signal.aborted) return reject(job.signal.reason);
        const abort = () => refuse("again");
        const timeout = setTimeout(() => refuse(timedOut(launch.timeoutMs)), launch.timeoutMs);
        const release = () => {
          clearTimeout(timeout);
          job.signal.removeEventListener("abort", abort);
        };
        job.signal.addEventListener("abort", abort, { once: true });
        current = { job, heard: false, resolve, reject, release };
        child.startJob();
        child.write(job.line);
      });
    },
    usable: () => alive,
    kill: () => refuse("again"),
    ended: child.ended,
  };
}
