import { type ChildProcess, spawn } from "node:child_process";
import { buffer as collect } from "node:stream/consumers";
import { CrowdaiError } from "@crowdai/shared";
import { findProcessLimitTools, limitPrefix } from "@crowdai/shared/process-limits";
import { machineErrorOfGit } from "../../base/machine-error.ts";
import { createCallerPlaces } from "./caller-places.ts";
import { createSemaphore } from "./semaphore.ts";

const MEBIBYTE = 1024 * 1024;
const MEMORY = 400 * MEBIBYTE;
/** Lifetime of a process; its computing is limited by processor time. */
const LIFETIME_MS = 15 * 60_000;
const CPU_SECONDS = 60;
/** Processes that read for one reader at the same time. */
const EACH_READER = 2;
const OUTPUT = 64 * MEBIBYTE;

/**
 * No repository, user or machine configures git: no hooks, helpers, monitors or transports. The broker
 * decides when to run `gc`, and one thread limits the memory of a process.
 */
const SETTINGS = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.alternateRefsCommand": "",
  "core.bigFileThreshold": "4m",
  "core.deltaBaseCacheLimit": "32m",
  "core.fsync": "objects,reference",
  "core.attributesFile": "/dev/null",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "pack.threads": "1",
  "pack.windowMemory": "64m",
  "pack.writeReverseIndex": "false",
  "protocol.allow": "never",
  "transfer.fsckObjects": "true",
  "transfer.hideRefs": "refs/incoming",
  "transfer.advertiseSID": "false",
  "uploadpack.allowFilter": "false",
  "uploadpack.packObjectsHook": "",
  "safe.directory": "*",
};
const SETTING_ARGS = Object.entries(SETTINGS)
  .filter(([, value]) => value !== "")
  .flatMap(([name, value]) => ["-c", `${name}=${value}`]);

export interface GitRun {
  /** The bare repository. */
  dir: string;
  /** Where new objects are written instead of the repository. */
  objects?: { own: string; others: string[] };
  input?: Uint8Array | string | number;
  env?: Record<string, string>;
  /** A file that receives the output, which is then not collected. */
  into?: number;
  cpuSeconds?: number;
  timeoutMs?: number;
  /** Maximum bytes of output; a process that writes more is killed. */
  output?: number;
  signal?: AbortSignal;
  /**
   * Names who reads: the process takes a slot of the readers, apart from those of pushes and of the broker's
   * own work, and one of the few of this reader.
   */
  reader?: string;
}

export interface GitEnded {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
  /** Set when the process was killed because of its output or its run time. */
  ended: "output" | "time" | null;
}

/** Git processes with limits on memory, time, output and their number. */
export interface Git {
  /**
   * Runs to the end; a failure is a value. Throws broker_busy when no slot becomes free or the machine has no
   * resources left, and storage_failed.
   */
  run(args: readonly string[], options: GitRun): Promise<GitEnded>;
  /** As `run`, for commands that fail only when this machine does. */
  must(args: readonly string[], options: GitRun): Promise<Buffer>;
  /** Starts a process whose streams the caller handles. */
  start(args: readonly string[], options: GitRun): Promise<ChildProcess>;
  /** Kills every process. */
  close(): Promise<void>;
}

export interface GitOptions {
  path: string;
  /** Maximum number of processes at once: of readers, and again of all others. */
  atOnce: number;
}

export async function createGit({ path, atOnce }: GitOptions): Promise<Git> {
  const limitTools = await findProcessLimitTools(path);
  const [work, reading] = [createSemaphore(atOnce), createSemaphore(atOnce)];
  const readers = createCallerPlaces(EACH_READER);
  const running = new Set<ChildProcess>();

  /** `release` is called when the process has ended. */
  function launch(
    args: readonly string[],
    options: GitRun,
    stdin: "pipe" | "ignore" | number,
    release: () => void,
  ): ChildProcess {
    const cpu = options.cpuSeconds ?? CPU_SECONDS;
    const command = [
      ...limitPrefix(limitTools, [`--data=${MEMORY}`, `--cpu=${cpu}`, "--core=0"]),
      "git",
      ...SETTING_ARGS,
      ...args,
    ] as [string, ...string[]];
    const child = spawn(command[0], command.slice(1), {
      cwd: options.dir,
      env: { ...environment(path, options), ...options.env },
      stdio: [stdin, options.into ?? "pipe", "pipe"],
      // A process group of its own, which includes the processes that git starts.
      detached: true,
    });
    running.add(child);
    const timer = setTimeout(() => killGroup(child), options.timeoutMs ?? LIFETIME_MS);
    const abort = () => killGroup(child);
    options.signal?.addEventListener("abort", abort, { once: true });
    const gone = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      if (running.delete(child)) release();
    };
    child.once("close", gone);
    child.once("error", () => child.pid === undefined && gone());
    if (options.signal?.aborted) killGroup(child);
    return child;
  }

  /** Waits for a slot, and returns the function that frees it. */
  async function takeSlot({ reader, signal }: GitRun): Promise<() => void> {
    if (reader === undefined) {
      await work.acquire(signal);
      return () => work.release();
    }
    const leave = await readers.take(reader, signal);
    await reading.acquire(signal).catch((error) => {
      leave();
      throw error;
    });
    return () => {
      reading.release();
      leave();
    };
  }

  async function start(args: readonly string[], options: GitRun, stdin?: number | "ignore") {
    const release = await takeSlot(options);
    const child = launch(args, options, stdin ?? "pipe", release);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) =>
        reject(new CrowdaiError("unexpected", "git could not be started.", { cause })),
      );
    });
    return child;
  }

  async function run(args: readonly string[], options: GitRun): Promise<GitEnded> {
    const given = options.input;
    const child = await start(
      args,
      options,
      typeof given === "number" ? given : given === undefined ? "ignore" : undefined,
    );
    let ended: GitEnded["ended"] = null;
    const end = (why: GitEnded["ended"]) => {
      ended ??= why;
      killGroup(child);
    };
    const timer = options.timeoutMs ? setTimeout(() => end("time"), options.timeoutMs) : undefined;
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("close", (code, signal) => resolve([code, signal])),
    );
    if (child.stdin && given !== undefined && typeof given !== "number") {
      // A process that exits before it has read everything reports that by its exit code.
      child.stdin.on("error", () => {});
      child.stdin.end(given);
    }
    const [stdout, stderr, [code, signal]] = await Promise.all([
      child.stdout ? gather(child.stdout, options.output ?? OUTPUT, () => end("output")) : Buffer.alloc(0),
      gather(child.stderr!, 64 * 1024, () => {}),
      closed,
    ]);
    clearTimeout(timer);
    options.signal?.throwIfAborted();
    if (signal === "SIGXCPU" || (signal === "SIGKILL" && ended === null)) ended = "time";
    const machineError = code === 0 ? null : machineErrorOfGit(stderr.toString("utf8"));
    if (machineError) throw machineError;
    return { code, signal, stdout, stderr: stderr.toString("utf8"), ended };
  }

  return {
    run,
    async must(args, options) {
      const ended = await run(args, options);
      if (ended.code === 0) return ended.stdout;
      const what = ended.stderr.trim() || ended.ended || ended.signal || ended.code;
      throw new CrowdaiError("unexpected", `git ${args[0]} failed: ${what}`);
    },
    start: (args, options) => start(args, options),
    async close() {
      const left = [...running];
      for (const child of left) killGroup(child);
      await Promise.all(left.map((child) => new Promise((resolve) => child.once("close", resolve))));
    },
  };
}

/** Kills a git process and everything it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}

async function gather(stream: NodeJS.ReadableStream, most: number, over: () => void): Promise<Buffer> {
  let size = 0;
  return collect(
    (async function* () {
      for await (const chunk of stream) {
        const left = most - size;
        size += chunk.length;
        if (left > 0) yield (chunk as Buffer).subarray(0, left);
        if (size > most) over();
      }
    })(),
  );
}

/** Returns the whole environment of a git process: of the broker's own only PATH. */
function environment(path: string, { dir, objects }: GitRun): Record<string, string> {
  return {
    PATH: path,
    HOME: "/nonexistent",
    XDG_CONFIG_HOME: "/nonexistent",
    LC_ALL: "C",
    TZ: "UTC",
    GIT_DIR: dir,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_ALLOW_PROTOCOL: "none",
    ...(objects && {
      GIT_OBJECT_DIRECTORY: objects.own,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: objects.others.join(":"),
    }),
  };
}
