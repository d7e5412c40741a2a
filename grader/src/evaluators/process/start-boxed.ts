import { constants } from "node:os";
import type { BoxEnd } from "../../box/sandbox.ts";
import { type BoxedLaunch, boxedEnvironment } from "./boxed-launch.ts";
import type { ProcessEnd, ProcessOptions, StartedProgram } from "./evaluator-process.ts";
import { repeatable } from "./launch.ts";

/** All files of a job together: as much as the box's /out can hold. */
const MAX_FILES_BYTES = 1024 ** 3;

/** Starts an evaluator in a box. It has no chance to react to a kill: SIGTERM ends the box. */
export function startBoxed(options: ProcessOptions, launch: BoxedLaunch): StartedProgram {
  const box = launch.sandbox.start({
    command: launch.command,
    cwd: launch.cwd,
    env: { ...boxedEnvironment(), ...repeatable(options.launch) },
    readable: launch.readable,
    inbox: options.inbox!,
    stdin: options.stdin,
    limits: launch.limits,
  });
  const takeFiles = async () => {
    const folder = options.output?.() ?? null;
    await (folder === null ? box.clear() : box.collect(folder, MAX_FILES_BYTES));
  };
  // A file that could not be taken is missing where the result names it.
  void box.exited.then(takeFiles).then(box.close, box.kill);
  return {
    ...{ stdin: box.stdin, stdout: box.stdout, stderr: box.stderr },
    kill: box.kill,
    takeFiles,
    ended: box.ended.then(processEnd),
  };
}

function processEnd({ cause, code, detail }: BoxEnd): Omit<ProcessEnd, "rest"> {
  const end = { code: null, signal: null, outOfMemory: cause === "memory", error: null };
  if (cause === "not_started")
    // Not the evaluator's fault: the grader checks its machine, and the job returns to the queue.
    return {
      ...end,
      error: Object.assign(new Error(`the box did not start: ${detail}`), { code: "EAGAIN" }),
    };
  // The program killed the box around it.
  if (code === null) return { ...end, code: 255 };
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128);
  return signal ? { ...end, signal: signal[0] as NodeJS.Signals } : { ...end, code };
}
