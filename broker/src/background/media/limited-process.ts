import { spawn } from "node:child_process";
import { CrowdaiError } from "@crowdai/shared";
import { limitPrefix, type ProcessLimitTools } from "@crowdai/shared/process-limits";

export interface ChildLimits {
  path: string;
  limitTools: ProcessLimitTools;
  /** Maximum private memory, in bytes. */
  memory: number;
  /** Maximum size of a file that it writes, in bytes. */
  fileSize: number;
  timeoutMs: number;
  /** Its working folder. */
  cwd: string;
}

export interface ChildEnd {
  /** Null when a signal ended it, because it took too much time or memory. */
  code: number | null;
  stdout: string;
  stderr: string;
}

const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Runs a program on untrusted input: without the broker's environment, without stdin, and with limits on
 * time, memory and written files. Resolves however it ends; rejects with `interrupted` when the signal ends
 * it, and when it cannot be started.
 */
export function runLimited(
  program: readonly [string, ...string[]],
  { path, limitTools, memory, fileSize, timeoutMs, cwd }: ChildLimits,
  signal: AbortSignal,
): Promise<ChildEnd> {
  const seconds = Math.ceil(timeoutMs / 1000);
  const limits = [`--data=${memory}`, `--fsize=${fileSize}`, `--cpu=${2 * seconds}`, "--core=0"];
  const [command, ...args] = [...limitPrefix(limitTools, limits), ...program] as [string, ...string[]];
  return new Promise((resolve, reject) => {
    // A process group of its own, so that nothing it starts outlives it.
    const child = spawn(command, args, {
      cwd,
      env: {
        PATH: path,
        HOME: cwd,
        TMPDIR: cwd,
        LANG: "C.UTF-8",
        VIPS_CONCURRENCY: "1",
        MALLOC_ARENA_MAX: "2",
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const kill = () => {
      try {
        process.kill(-(child.pid as number), "SIGKILL");
      } catch {
        // Already gone.
      }
    };
    const timer = setTimeout(kill, timeoutMs);
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const settle = (then: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", kill);
      then();
    };
    child.once("error", (error) => settle(() => reject(error)));
    child.once("close", (code) =>
      settle(() => {
        kill();
        if (signal.aborted) reject(new CrowdaiError("interrupted"));
        else resolve({ code, stdout: stdout(), stderr: stderr() });
      }),
    );
  });
}

/** Collects the first bytes of the output; the rest is read and dropped, so that the process never blocks. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - size));
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
