import { type ChildProcess, spawn } from "node:child_process";
import { root } from "./root.ts";

export interface CommandResult {
  /** 127 when the command cannot be started, 1 when a signal ended it. */
  exitCode: number;
  /** Why it was ended before it was done, or null. */
  endedBy: string | null;
}

export interface CommandOptions {
  env?: NodeJS.ProcessEnv;
  /** Ends the command when aborted. The reason of the abort is reported. 15 minutes by default. */
  end?: AbortSignal;
  /** File descriptor for its output. This terminal by default. */
  output?: number;
}

const DEFAULT_LIMIT_MINUTES = 15;
/** Time to clean up between SIGTERM and SIGKILL. */
const GRACE_MS = 5000;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Returns a signal that aborts after some minutes, with a reason that names the limit, and how to change it
 * where that is possible.
 */
export function timeLimit(minutes: number, hint?: string): AbortSignal {
  const controller = new AbortController();
  const reason = `its limit of ${minutes} minutes${hint ? ` (${hint})` : ""}`;
  setTimeout(() => controller.abort(reason), minutes * 60_000).unref();
  return controller.signal;
}

/**
 * Runs a command in the root folder, as a process group of its own: when it has to end early, or this process
 * is interrupted, all of its children end with it.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  { env, end = timeLimit(DEFAULT_LIMIT_MINUTES), output }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", output ?? "inherit", output ?? "inherit"],
      env: { ...process.env, ...env },
      detached: true,
    });
    let endedBy: string | null = null;
    let force: NodeJS.Timeout | undefined;
    let received: NodeJS.Signals | undefined;

    function endGroup(reason: string): void {
      if (endedBy !== null) return;
      endedBy = reason;
      signalGroup(child, "SIGTERM");
      force = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
    }
    const onEnd = () => endGroup(String(end.reason));
    const onSignal = (signal: NodeJS.Signals) => {
      received = signal;
      endGroup(signal);
    };
    const onExit = () => signalGroup(child, "SIGKILL");
    function release(): void {
      clearTimeout(force);
      end.removeEventListener("abort", onEnd);
      for (const signal of FORWARDED) process.off(signal, onSignal);
      process.off("exit", onExit);
    }

    end.addEventListener("abort", onEnd);
    for (const signal of FORWARDED) process.on(signal, onSignal);
    process.on("exit", onExit);
    if (end.aborted) onEnd();

    child.on("error", (error) => {
      release();
      console.error(`${command} cannot be started: ${error.message}`);
      resolve({ exitCode: 127, endedBy: null });
    });
    child.on("exit", (code) => {
      release();
      // The command itself has ended; a child of it may have ignored SIGTERM.
      if (endedBy !== null) signalGroup(child, "SIGKILL");
      if (received) process.kill(process.pid, received);
      resolve({ exitCode: endedBy === null ? (code ?? 1) : 1, endedBy });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Every process of the group has ended.
  }
}
