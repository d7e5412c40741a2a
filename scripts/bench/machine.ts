import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./figure.ts";

const SAMPLE_MS = 500;

/**
 * The load of the machine beside the bench, in percent of all its processors, and the load average of the
 * last minute.
 */
export interface Busy {
  other: number;
  /** The share that a host gave to other machines; 0 where it does not say. */
  steal: number;
  load: number;
}

export const machineName = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;

/** Measures for half a second, in which this process waits. */
export async function busy(): Promise<Busy> {
  const before = times();
  await sleep(SAMPLE_MS);
  const after = times();
  const total = after.total - before.total;
  const share = (part: number) => (total <= 0 ? 0 : (100 * part) / total);
  return {
    other: share(total - (after.idle - before.idle)),
    steal: share(after.steal - before.steal),
    load: loadavg()[0]!,
  };
}

function times(): { idle: number; total: number; steal: number } {
  const all = cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    total: user + nice + sys + idle + irq,
  }));
  const steal = stolen();
  return {
    idle: all.reduce((sum, one) => sum + one.idle, 0),
    total: all.reduce((sum, one) => sum + one.total, steal),
    steal,
  };
}

/** Milliseconds of all processors; /proc counts in hundredths of a second. */
function stolen(): number {
  try {
    return 10 * Number(readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!.split(/\s+/)[8] ?? 0);
  } catch {
    return 0;
  }
}

/** The machine's times for the smallest parts of everything that is measured: medians, in milliseconds. */
export interface Floor {
  /** An empty program of this runtime, start to end. */
  program: number;
  /** A line to another process and back. */
  line: number;
  /** A page written to a file and onto the disk. */
  write: number;
}

export async function measureFloor(): Promise<Floor> {
  return { program: await emptyProgram(), line: await lineAndBack(), write: writtenPage() };
}

async function emptyProgram(): Promise<number> {
  return medianOf(7, async () => {
    await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  });
}

async function lineAndBack(): Promise<number> {
  const cat = spawn("cat", { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(cat, "exit");
  try {
    return await medianOf(500, async () => {
      cat.stdin.write("x\n");
      await once(cat.stdout, "data");
    });
  } finally {
    cat.stdin.end();
    await ended;
  }
}

function writtenPage(): number {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-floor-"));
  const file = openSync(join(folder, "page"), "w");
  try {
    const page = Buffer.alloc(4096, 1);
    const samples = Array.from({ length: 100 }, () => {
      const began = performance.now();
      writeSync(file, page);
      fsyncSync(file);
      return performance.now() - began;
    });
    return median(samples);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

async function medianOf(count: number, work: () => Promise<void>): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await work();
    samples.push(performance.now() - began);
  }
  return median(samples);
}
