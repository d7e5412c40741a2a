import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface DaemonOptions {
  /** Names its log file, `<name>.log` in the folder. */
  name: string;
  /** A function is called at each start. */
  argv: readonly string[] | (() => readonly string[]);
  folder: string;
  env?: NodeJS.ProcessEnv;
  /** Runs under this user; only root can ask for that. */
  user?: string;
  /** Lets it outlive this process. Otherwise the kernel kills it with its parent, whatever way that ends. */
  detached?: boolean;
  /** In its log of a start that failed: however often it is tried, it will not start. */
  hopeless?: RegExp;
  /** Resolves to whether it answers; asked again until it does. */
  ready: () => Promise<boolean>;
}

/** A server process that can be killed, frozen and started again on the same state. */
export interface Daemon {
  /** Of the process that runs now. */
  readonly pid: number;
  /** Resolves when the process that runs now has ended. */
  ended(): Promise<void>;
  /** Sends a signal. After one that ends the process it resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again, after ending it when it runs. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it: politely, and after five seconds with SIGKILL. */
  stop(): Promise<void>;
}

/** Python on a busy machine takes its time. */
const START_MS = 90_000;
const STOP_MS = 5_000;
const RESTARTS = 8;
/**
 * Below the ports that systems give to outgoing connections: one of those could take a port before its server
 * does.
 */
const [LOWEST_PORT, HIGHEST_PORT] = [12_000, 32_000];

/** Starts a server and waits until it answers. Rejects with the end of its log when it does not. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  mkdirSync(options.folder, { recursive: true });
  let child = await launch(options);

  async function kill(signal: NodeJS.Signals): Promise<void> {
    if (hasEnded(child)) return;
    const ended = signal === "SIGSTOP" || signal === "SIGCONT" ? null : once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async function stop(): Promise<void> {
    if (hasEnded(child)) return;
    const force = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    // One that is frozen cannot end.
    child.kill("SIGCONT");
    await kill("SIGTERM");
    clearTimeout(force);
  }

  return {
    get pid() {
      return child.pid!;
    },
    async ended() {
      if (!hasEnded(child)) await once(child, "exit");
    },
    kill,
    stop,
    async restart() {
      await stop();
      // Remains of a killed server (PostgreSQL's own children) may stand in the way for a moment.
      for (let tries = 1; ; tries++)
        try {
          child = await launch(options);
          return;
        } catch (error) {
          if (tries === RESTARTS || options.hopeless?.test((error as Error).message)) throw error;
          await sleep(100 * tries);
        }
    },
  };
}

async function launch({
  name,
  argv,
  folder,
  env,
  user,
  detached,
  ready,
}: DaemonOptions): Promise<ChildProcess> {
  const file = join(folder, `${name}.log`);
  const log = openSync(file, "a");
  const [program, ...args] = [
    ...(user || !detached ? ["setpriv"] : []),
    ...(user ? [`--reuid=${user}`, `--regid=${user}`, "--init-groups"] : []),
    ...(detached ? [] : ["--pdeathsig", "KILL"]),
    ...(typeof argv === "function" ? argv() : argv),
  ];
  const child = spawn(program!, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", log, log],
    detached: detached ?? false,
  });
  closeSync(log);
  if (detached) child.unref();
  let failed: Error | null = null;
  child.on("error", (error) => {
    failed = error;
  });
  const end = performance.now() + START_MS;
  for (let wait = 5; !(await ready().catch(() => false)); wait = Math.min(wait * 2, 50)) {
    if (failed) throw failed;
    if (hasEnded(child) || performance.now() > end) {
      child.kill("SIGKILL");
      const said = existsSync(file) ? readFileSync(file, "utf8").slice(-2000) : "";
      throw new Error(`${name} did not start:\n${said}`);
    }
    await sleep(wait);
  }
  return child;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Returns `count` consecutive ports that are free at the moment. */
export async function freePorts(count = 1): Promise<number> {
  for (;;) {
    const first = randomInt(LOWEST_PORT, HIGHEST_PORT - count);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
    if (!free.includes(false)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
