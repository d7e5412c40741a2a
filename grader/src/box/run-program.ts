import { BOX, type Box, type BoxEnd, type BoxLimits, type BoxPlan, type TakeFile } from "./sandbox.ts";

const MAX_OUTPUT_BYTES = 1024 * 1024;

export const SMALL_LIMITS: BoxLimits = {
  memoryBytes: 64 * 1024 * 1024,
  // Generous, for machines that are slow or busy: these end what hangs.
  cpuMs: 60_000,
  wallMs: 60_000,
  processes: 16,
  scratchBytes: 8 * 1024 * 1024,
};

export interface RunOptions {
  limits?: Partial<BoxLimits>;
  readable?: BoxPlan["readable"];
  root?: string;
  inbox?: string;
  /** Where the files go that the program left; they are dropped without it. */
  collectInto?: string;
  /** Default: all files, up to 64 MB. */
  take?: TakeFile;
  /** Called with the running box. */
  onStart?(box: Box): void;
}

/** Runs a program in a box to its end. Its output, up to a megabyte of each stream, is text. */
export async function runProgram(
  start: (plan: BoxPlan) => Box,
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<BoxEnd & { stdout: string; stderr: string }> {
  const box = start({
    command,
    cwd: BOX.scratch,
    env: { LANG: "C.UTF-8" },
    readable: options.readable ?? {},
    ...(options.root === undefined ? {} : { root: options.root }),
    ...(options.inbox === undefined ? {} : { inbox: options.inbox }),
    stdin: "pipe",
    limits: { ...SMALL_LIMITS, ...options.limits },
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    box[name].on("data", (chunk: Buffer) => {
      if (text[name].length < MAX_OUTPUT_BYTES) text[name] += chunk.toString("utf8");
      else box.kill();
    });
  box.stdin!.end();
  options.onStart?.(box);
  await box.exited;
  try {
    if (options.collectInto !== undefined)
      await box.collect(options.collectInto, options.take ?? MAX_OUTPUT_BYTES * 64);
  } finally {
    box.close();
  }
  return { ...(await box.ended), ...text };
}
