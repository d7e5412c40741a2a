import { type ChildProcess, spawn } from "node:child_process";
import { buffer as collect } from "node:stream/consumers";
import { CrowdaiError } from "@crowdai/shared";
import { findProcessLimitTools, limited } from "@crowdai/shared/process-limits";
import { createSemaphore, type Semaphore } from "./semaphore.ts";

const MEBIBYTE = 1024 * 1024;
const MEMORY = 400 * MEBIBYTE;
/** A process that somebody waits for on a slow line may live this long; what it computes is bounded by its processor time. */
const LIFETIME_MS = 15 * 60_000;
const CPU_SECONDS = 60;
const OUTPUT = 64 * MEBIBYTE;

/**
 * Nothing of a repository, a user or the machine configures git: no hooks, no helpers, no monitors, no transports. `gc` is ours to
 * begin, and one thread keeps the memory of one process in bounds.
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
  /** Where new objects go, instead of the repository. */
  objects?: { own: string; others: string[] };
  input?: Uint8Array | string | number;
  env?: Record<string, string>;
  /** A file for the output; there is none to gather then. */
  into?: number;
  cpuSeconds?: number;
  timeoutMs?: number;
  /** Most bytes of output; one more ends the process. */
  output?: number;
  signal?: AbortSignal;
}

export interface GitEnded {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
  /** It was ended because it said too much, or took too long. */
  ended: "output" | "time" | null;
}

/** Git processes under limits of memory, time and output, so many at once and no more. */
export interface Git {
  /** Runs to its end; a failure is a value. Throws broker_busy when there is no room. */
  run(args: readonly string[], options: GitRun): Promise<GitEnded>;
  /** As `run`, for what only breaks when this machine does. */
  must(args: readonly string[], options: GitRun): Promise<Buffer>;
  /** A process whose ends are the caller's; `onChunk` may stop a `run` early. */
  start(args: readonly string[], options: GitRun): Promise<ChildProcess>;
  /** Ends every process. */
  close(): Promise<void>;
}

export interface GitOptions {
  path: string;
  /** Processes at once. */
  atOnce: number;
}

export async function createGit({ path, atOnce }: GitOptions): Promise<Git> {
  const limitTools = await findProcessLimitTools(path);
  const room: Semaphore = createSemaphore(atOnce);
  const running = new Set<ChildProcess>();

  function launch(args: readonly string[], options: GitRun, stdin: "pipe" | "ignore" | number): ChildProcess {
    const cpu = options.cpuSeconds ?? CPU_SECONDS;
    const command = [
      ...limited(limitTools, [`--data=${MEMORY}`, `--cpu=${cpu}`, "--core=0"]),
      "git",
      ...SETTING_ARGS,
      ...args,
    ] as [string, ...string[]];
    const child = spawn(command[0], command.slice(1), {
      cwd: options.dir,
      env: { ...environment(path, options), ...options.env },
      stdio: [stdin, options.into ?? "pipe", "pipe"],
      // Its own group, for what git starts itself.
      detached: true,
    });
    running.add(child);
    const timer = setTimeout(() => killGroup(child), options.timeoutMs ?? LIFETIME_MS);
    const abort = () => killGroup(child);
    options.signal?.addEventListener("abort", abort, { once: true });
    const gone = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      if (running.delete(child)) room.leave();
    };
    child.once("close", gone);
    child.once("error", () => child.pid === undefined && gone());
    if (options.signal?.aborted) killGroup(child);
    return child;
  }

  async function start(args: readonly string[], options: GitRun, stdin?: number | "ignore") {
    await room.enter(options.signal);
    const child = launch(args, options, stdin ?? "pipe");
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
      // A process that ended before it read everything says so by its exit.
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

/** Ends a git process and whatever it started. */
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
        const room = most - size;
        size += chunk.length;
        if (room > 0) yield (chunk as Buffer).subarray(0, room);
        if (size > most) over();
      }
    })(),
  );
}

/** The whole environment of a git process: nothing of the broker's own goes in but PATH. */
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
