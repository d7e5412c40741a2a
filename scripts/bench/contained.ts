import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onceDone } from "./cleanup.ts";
import type { Figure } from "./figure.ts";

/** Marks every process that a measure starts, through whatever other processes. */
const MARK = "CROWDAI_BENCH_FOLDER";

export interface Contained {
  figures: Figure[];
  exitCode: number | null;
  /** The problem in words; null where it ended well. */
  problem: string | null;
}

/**
 * Runs a script that sends figures, in a process and a temporary folder of its own, for `limitMs` at most.
 * Afterwards none of its processes and files are left: whatever it forgot is ended, removed, and named in
 * `problem`.
 */
export async function runContained(
  script: string,
  args: readonly string[],
  { limitMs }: { limitMs: number },
): Promise<Contained> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-"));
  const env = { ...process.env, TMPDIR: folder, [MARK]: folder };
  const figures: Figure[] = [];
  const problems: string[] = [];
  const child = fork(script, args, { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.on("message", (figure) => figures.push(figure as Figure));
  const exited = once(child, "exit") as Promise<[number | null]>;
  // Its processes end with it where it listens, and are ended by `clean` where it does not.
  const timer = setTimeout(() => {
    problems.push(`it did not end within ${limitMs / 1000} s`);
    child.kill("SIGKILL");
  }, limitMs);
  const clean = onceDone(async () => {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await exited.catch(() => {});
    const killed = endProcesses(folder);
    const files = readdirSync(folder);
    if (problems.length === 0 && killed.length > 0) problems.push(`it left processes: ${killed.join(", ")}`);
    if (problems.length === 0 && files.length > 0) problems.push(`it left files: ${files.join(", ")}`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  let exitCode: number | null = null;
  try {
    [exitCode] = await exited;
    if (exitCode !== 0 && problems.length === 0) problems.push(`it ended with exit code ${exitCode}`);
  } finally {
    await clean();
  }
  return { figures, exitCode, problem: problems[0] ?? null };
}

/**
 * Kills what has the mark in its environment. Returns the commands. Where there is no /proc, only the child
 * itself is known.
 */
function endProcesses(folder: string): string[] {
  const killed: string[] = [];
  for (let round = 0; round < 5; round++) {
    const found = markedProcesses(folder);
    if (found.length === 0) break;
    for (const { pid, command } of found) {
      if (round === 0) killed.push(command);
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
  return killed;
}

export function markedProcesses(folder: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = [];
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(`${MARK}=${folder}`))
        continue;
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").slice(0, 3).join(" ").trim();
      if (command !== "") found.push({ pid: Number(name), command });
    } catch {
      // It has ended, or belongs to another user.
    }
  }
  return found;
}
