import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";
import { processTrees } from "../../confinement/subreaper.ts";
import type { ProcessEnd, ProcessOptions, StartedProgram } from "./evaluator-process.ts";
import { evaluatorEnvironment, repeatable } from "./launch.ts";

/** Time between SIGTERM and SIGKILL. */
const TERM_MS = 1000;
/** How long pipes may stay open after the exit: a process that cannot be found may still hold them. */
const DRAIN_MS = 500;
const MEMORY_CHECK_MS = 250;

/** The descriptors that a spawn needs for its pipes, and some more. */
const DESCRIPTORS = 12;

/** Throws EMFILE when a spawn would fail with it: both runtimes lose descriptors in a spawn that fails. */
function requireDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < DESCRIPTORS) opened.push(openSync("/dev/null", "r"));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Starts an evaluator as a process of this machine, in its own session and process group. */
export function startConfined(options: ProcessOptions): StartedProgram {
  const { launch } = options;
  const confined = (launch.confinement ?? processTrees).start(launch.memoryBytes ?? null);
  const [program, ...args] = [...confined.prefix, ...launch.argv] as [string, ...string[]];
  let child: ChildProcess;
  try {
    requireDescriptors();
    child = spawn(program, args, {
      cwd: launch.cwd,
      env: { ...evaluatorEnvironment(launch.path, options.home), ...repeatable(launch) },
      detached: true,
      stdio: [options.stdin, "pipe", "pipe"],
    });
  } catch (error) {
    void confined.close();
    throw error;
  }
  if (child.pid !== undefined) confined.attach(child.pid);
  // Without a listener, a failed start would crash the grader.
  child.on("error", () => {});
  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr) {
    void confined.close();
    throw new CrowdaiError("unexpected", "Starting a process failed: no file descriptors are left.", {
      cause: Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" }),
    });
  }

  let gone = false;
  let killing: NodeJS.Timeout | undefined;
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is empty.
    }
  };

  let outOfMemory = false;
  const checkMemory = () => {
    if (outOfMemory || !confined.exceedsMemory()) return;
    outOfMemory = true;
    confined.kill();
  };
  const watching = launch.memoryBytes == null ? undefined : setInterval(checkMemory, MEMORY_CHECK_MS);

  const ended = new Promise<Omit<ProcessEnd, "rest">>((resolve) => {
    let drain: NodeJS.Timeout | undefined;
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      clearInterval(watching);
      void confined.close().then(() => resolve({ code: null, signal: null, outOfMemory, error }));
    });
    child.once("exit", () => {
      gone = true;
      clearTimeout(killing);
      clearInterval(watching);
      checkMemory();
      confined.kill();
      signalGroup("SIGKILL");
      drain = setTimeout(() => {
        stdout.destroy();
        stderr.destroy();
      }, DRAIN_MS);
    });
    child.once("close", (code, signal) => {
      clearTimeout(drain);
      stdin?.destroy();
      void confined.close().then(() => resolve({ code, signal, outOfMemory, error: null }));
    });
  });

  return {
    ...{ stdin, stdout, stderr },
    kill(now = false) {
      if (gone) return;
      if (now) return confined.kill();
      if (killing) return;
      signalGroup("SIGTERM");
      killing = setTimeout(confined.kill, TERM_MS);
    },
    takeFiles: async () => {},
    ended,
  };
}
