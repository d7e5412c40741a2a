import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";

/** How long a program may take to end after a signal, before the next one. */
const GRACE_MS = 5_000;
/** The longest text without a line break that is held back. */
const MAX_HELD = 64 * 1024;

/** How a program ended: with an exit code, or by a signal. */
export interface AgentEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface AgentProcess {
  /** Resolves once the program has ended and all its output was passed on. */
  readonly ended: Promise<AgentEnd>;
  /**
   * Asks the program to end with a signal, if it is to be sent one, then with SIGTERM, and at last kills it.
   */
  stop(signal: NodeJS.Signals | null): void;
}

export interface AgentOptions {
  command: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Whether the program reads the standard input of this process. */
  readsInput: boolean;
  /**
   * Receives what the program prints, by whole lines as far as possible. Resolves when there is room for
   * more.
   */
  print: (text: string) => Promise<void> | void;
}

/** Starts the program of an agent. Throws usage if it cannot be started. */
export async function startAgent({
  command,
  cwd,
  env,
  readsInput,
  print,
}: AgentOptions): Promise<AgentProcess> {
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    cwd,
    env,
    stdio: [readsInput ? "inherit" : "ignore", "pipe", "pipe"],
  });
  await once(child, "spawn").catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "ENOENT" ? "there is no such program" : (cause.code ?? cause.message);
    throw new CrowdaiError("usage", `"${program}" cannot be started: ${why}.`, {
      next: "Write the command as in a shell: `crowdai run python3 agent.py`.",
      cause,
    });
  });
  // A second Ctrl+C ends this process without waiting.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const timers: NodeJS.Timeout[] = [];
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const printed = [child.stdout, child.stderr].map((stream) => passOn(stream, print));

  return {
    ended: exited.then(async ([code, signal]) => {
      process.off("exit", kill);
      for (const timer of timers) clearTimeout(timer);
      // A program that it left behind may keep the pipes open.
      await Promise.race([Promise.all(printed), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
      return { code, signal };
    }),
    stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null || timers.length > 0) return;
      if (signal) child.kill(signal);
      timers.push(
        setTimeout(() => child.kill("SIGTERM"), GRACE_MS),
        setTimeout(kill, 2 * GRACE_MS),
      );
    },
  };
}

async function passOn(stream: Readable, print: AgentOptions["print"]): Promise<void> {
  stream.setEncoding("utf8");
  let held = "";
  try {
    for await (const chunk of stream) {
      held += chunk;
      const end = Math.max(held.lastIndexOf("\n"), held.lastIndexOf("\r")) + 1;
      const ready = held.length > MAX_HELD ? held.length : end;
      if (ready === 0) continue;
      await print(held.slice(0, ready));
      held = held.slice(ready);
    }
  } catch {
    // The program has ended.
  }
  if (held !== "") await print(`${held}\n`);
}
