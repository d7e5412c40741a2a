import type { ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Duplex, Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import type { ControlGroup } from "../confinement/control-group.ts";
import { type Collection, createOutputReader, makeLinks, takeUpTo } from "./output-reader.ts";
import type { Box, BoxCause, BoxEnd, BoxLimits } from "./sandbox.ts";

/** Between looks at what a box has used: the most, and the least, near its limit of processor time. */
const POLL_MS = { most: 200, least: 20 };
const PROCESSORS = availableParallelism();
const MAX_DETAIL_BYTES = 2000;
/** How long the attendant may take for a request. The program can stop it. */
const REQUEST_MS = 60_000;
/** How long a box may take to start, where the time of its program is limited. */
const START_MS = 60_000;
/** How long a box may exist after its program has exited, when nothing closes it. */
const DRAIN_MS = 500;

export interface RunningBox extends ChildProcess {
  stdout: Readable;
  stderr: Readable;
}

/**
 * Watches a box that is being started: enforces its limits, speaks with its attendant, and finds the first
 * cause of its end. Throws when no process was started, because no descriptors were left: then nothing is
 * closed and released.
 */
export function superviseBox(options: {
  child: RunningBox;
  /** To the attendant; what comes back says that the program has exited. */
  requests: Duplex;
  /** The attendant's answers. */
  output: Readable;
  group: ControlGroup;
  limits: BoxLimits;
  /** Called when nothing of the box is left. */
  release(): void;
}): Box {
  const { child, requests, output, group, limits } = options;
  const began = performance.now();
  let firstErrors = "";
  // Without a listener, a failed start would crash the grader.
  child.on("error", (error) => {
    firstErrors += error.message;
  });
  if (!child.stdout || !child.stderr || !requests || !output) {
    throw new CrowdaiError("unexpected", "Starting a box failed: no file descriptors are left.", {
      cause: Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" }),
    });
  }
  for (const stream of [child.stdin, child.stdout, child.stderr, requests, output])
    stream?.on("error", () => {});

  let cause: BoxCause | null = null;
  let code: number | null = null;
  let started = false;
  let closing = false;
  let over = false;
  let scratchFull = false;
  let writeError: unknown = null;
  child.stderr.on("data", (chunk: Buffer) => {
    if (!started && firstErrors.length < MAX_DETAIL_BYTES)
      firstErrors += chunk.toString("utf8").slice(0, MAX_DETAIL_BYTES);
  });

  const kill = (why: BoxCause) => {
    cause ??= why;
    // It may not have joined the group yet. Not by its number, which another process has later.
    child.kill("SIGKILL");
    group.kill();
  };

  let wall: NodeJS.Timeout | undefined;
  function limitTime(why: BoxCause, ms: number | null): void {
    clearTimeout(wall);
    if (limits.wallMs !== null) wall = setTimeout(() => kill(why), ms!);
  }

  const exited = Promise.withResolvers<void>();
  let pending: { request: string; collection: Collection | null; resolve(done: boolean): void } | null = null;
  const settle = (done: boolean) => {
    const { resolve } = pending ?? {};
    pending = null;
    resolve?.(done);
  };
  const reader = createOutputReader({
    collection: () => pending?.collection ?? null,
    onInvalid: () => kill("killed"),
    onLine(line) {
      if (line === "started") {
        if (!started) limitTime("wall", limits.wallMs);
        started = true;
      } else if (line === "full") scratchFull = true;
      else if (line === "collected" || line === "cleared") settle(true);
      else if (/^exit \d{1,3}$/.test(line)) {
        // It counts once: the program may have taken over its attendant.
        if (code !== null) return;
        code = Number(line.slice(5));
        if (group.ranOutOfMemory()) cause ??= "memory";
        cause ??= "exit";
        // The files are collected now. The program may have claimed its exit, so that there is a limit still.
        limitTime("wall", REQUEST_MS);
        exited.resolve();
        // The attendant that had the request was killed.
        if (pending) requests.write(`\n${pending.request}\n`);
        if (closing) requests.end();
      }
    },
  });
  output.on("data", (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      // The disk of the grader is full, or fails.
      writeError ??= error;
      kill("killed");
    }
  });

  // Between two requests, so that none is cut off.
  requests.once("data", () => requests.write("leave\n"));
  requests.resume();

  /** The attendant answers one request at a time. */
  let asking: Promise<unknown> = Promise.resolve();
  const ask = (request: string, collection: Collection | null): Promise<boolean> => {
    const asked = asking.then(() => askNow(request, collection));
    asking = asked.catch(() => {});
    return asked;
  };

  async function askNow(request: string, collection: Collection | null): Promise<boolean> {
    if (over) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    pending = { request, collection, resolve };
    const late = setTimeout(() => kill("killed"), REQUEST_MS);
    requests.write(`${request}\n`);
    const done = await promise;
    clearTimeout(late);
    if (writeError !== null) throw writeError;
    return done;
  }

  const watch = () => {
    const { cpuMs } = group.usage();
    if (limits.cpuMs !== null && code === null && cpuMs > limits.cpuMs) kill("cpu");
    else if (group.ranOutOfMemory()) kill("memory");
    watching = setTimeout(watch, untilNextLook(limits.cpuMs, cpuMs));
  };
  let watching = setTimeout(watch, untilNextLook(limits.cpuMs, 0));
  // The time that this machine needs to start the box is not the program's.
  limitTime("not_started", START_MS);

  const ended = new Promise<BoxEnd>((resolve) => {
    let finishing = false;
    const finish = async () => {
      if (finishing) return;
      finishing = true;
      over = true;
      clearTimeout(watching);
      clearTimeout(wall);
      const wallMs = performance.now() - began;
      const { cpuMs, peakMemoryBytes } = group.usage();
      if (group.ranOutOfMemory()) cause ??= "memory";
      // It ended without a word of its attendant: the program killed that.
      cause ??= started ? "killed" : "not_started";
      reader.end();
      settle(false);
      exited.resolve();
      await group.close();
      options.release();
      resolve({
        cause,
        code,
        detail: started ? "" : firstErrors.trim(),
        scratchFull,
        usage: { wallMs, cpuMs, peakMemoryBytes },
      });
    };
    // Not every runtime also says that what it could not start is closed.
    child.once("error", () => {
      if (child.pid === undefined) void finish();
    });
    let drain: NodeJS.Timeout | undefined;
    child.once("exit", () => {
      over = true;
      group.kill();
      drain = setTimeout(() => {
        for (const stream of [child.stdout, child.stderr, output]) stream.destroy();
      }, DRAIN_MS);
    });
    child.once("close", () => {
      child.stdin?.destroy();
      requests.destroy();
      const closed = () => {
        clearTimeout(drain);
        void finish();
      };
      // Bun says so before it has read the attendant's last lines.
      if (output.readableEnded || output.destroyed) closed();
      else output.once("close", closed);
    });
  });

  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: exited.promise,
    async collect(folder, take) {
      const collection = {
        ...{ folder, take: typeof take === "number" ? takeUpTo(take) : take, links: new Map() },
        maxArchiveBytes: 2 * limits.scratchBytes + 2 ** 26,
      };
      const done = await ask("collect", collection);
      if (done) makeLinks(collection);
      return done;
    },
    clear: async () => void (await ask("clear", null)),
    close() {
      closing = true;
      if (code !== null) requests.end();
    },
    kill: () => kill("killed"),
    ended,
  };
}

/**
 * Returns how long a box can run before it could reach its limit of processor time: each look takes time from
 * the boxes.
 */
function untilNextLook(cpuMs: number | null, usedMs: number): number {
  if (cpuMs === null) return POLL_MS.most;
  return Math.min(POLL_MS.most, Math.max(POLL_MS.least, (cpuMs - usedMs) / PROCESSORS));
}
