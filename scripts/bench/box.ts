import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { openBubblewrap } from "../../grader/src/box/bubblewrap/bubblewrap.ts";
import { programFolders } from "../../grader/src/box/bubblewrap/host-files.ts";
import { type RunOptions, runProgram } from "../../grader/src/box/run-program.ts";
import type { Sandbox } from "../../grader/src/box/sandbox.ts";
import { findControlGroups } from "../../grader/src/confinement/control-groups.ts";
import { closeInheritedFiles } from "../../shared/src/close-inherited-files.ts";
import { findProgram } from "../services/programs.ts";
import { type Figure, median, quantile } from "./figure.ts";

const SAMPLES = 100;
const JOBS = 8;
const LIMIT_SAMPLES = 5;
const MEMORY_BYTES = 256 * 2 ** 20;
/** Needs a second of processor time. */
const BUSY = ["/usr/bin/perl", "-e", "1 while (times)[0] < 1"] as const;

/** Measures the cost of a box beside a bare program and beside runc, and how exactly its limits hold. */
export async function measureBox(): Promise<Figure[]> {
  // As graders do at their start.
  closeInheritedFiles();
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-box-"));
  try {
    const sandbox = await openBubblewrap({
      folder: join(folder, "boxes"),
      groups: await findControlGroups(),
    });
    if ("missing" in sandbox) {
      console.error(`box cannot be measured: ${sandbox.missing}`);
      return [];
    }
    return [
      ...(await measureStarts(sandbox, folder)),
      ...(await measureThroughput(sandbox)),
      ...(await measureLimits(sandbox)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureStarts(sandbox: Sandbox, folder: string): Promise<Figure[]> {
  const bundle = findProgram("runc") ? writeBundle(join(folder, "bundle")) : null;
  const ways = {
    bare: () => runBare(["/bin/true"]),
    box: () => runProgram(sandbox.start, ["/bin/true"]),
    output: async () => {
      const into = mkdtempSync(join(folder, "out-"));
      await runProgram(sandbox.start, ["/bin/sh", "-c", "echo 1 > /out/file"], { collectInto: into });
      rmSync(into, { recursive: true });
    },
    ...(bundle
      ? { runc: () => runBare(["runc", "run", "--bundle", bundle, `crowdai-bench-${process.pid}`]) }
      : {}),
  };
  const times: Record<string, number[]> = { bare: [], box: [], output: [], runc: [] };
  // In turns, so that all meet the same machine. The first turn fills the disk cache.
  for (let turn = 0; turn <= SAMPLES; turn++)
    for (const [name, work] of Object.entries(ways)) {
      const began = performance.now();
      await work();
      if (turn > 0) times[name]!.push(performance.now() - began);
    }
  const bare = median(times.bare!);
  const over = (name: string, share: number) => quantile(times[name]!, share) - bare;
  return [
    { name: "bare program, start to end, median", value: bare, unit: "ms" },
    atMost("box over the bare program, median", over("box", 0.5), "ms", 25),
    atMost("box over the bare program, p99", over("box", 0.99), "ms", 60),
    { name: "bare program, p99 over its median", value: over("bare", 0.99), unit: "ms" },
    { name: "box with an output file, over bare, median", value: over("output", 0.5), unit: "ms" },
    ...(bundle
      ? [{ name: "runc run over the bare program, median", value: over("runc", 0.5), unit: "ms" }]
      : []),
  ];
}

async function measureThroughput(sandbox: Sandbox): Promise<Figure[]> {
  const bare = await timeJobs(() => runBare(BUSY));
  const boxed = await timeJobs(() => runProgram(sandbox.start, BUSY));
  const ratio = bare / boxed;
  return [
    {
      ...{
        name: `jobs of 1 s in boxes beside bare, ${availableParallelism()} at once`,
        value: ratio,
        unit: "×",
      },
      ...{ target: "≥ 0.9 ×", met: ratio >= 0.9 },
    },
  ];
}

/** Returns how long some jobs take, as many at once as there are processors. */
async function timeJobs(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let left = JOBS;
  const work = async () => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return performance.now() - began;
}

async function measureLimits(sandbox: Sandbox): Promise<Figure[]> {
  const worst = async (
    command: readonly [string, ...string[]],
    options: RunOptions,
    off: (usage: Usage) => number,
  ) => {
    const found: number[] = [];
    for (let sample = 0; sample < LIMIT_SAMPLES; sample++)
      found.push(off((await runProgram(sandbox.start, command, options)).usage));
    return Math.max(...found);
  };
  const memory = await worst(
    ["/bin/sh", "-c", "tail /dev/zero & tail /dev/zero & wait"],
    { limits: { memoryBytes: MEMORY_BYTES } },
    ({ peakMemoryBytes }) => (Math.abs(peakMemoryBytes - MEMORY_BYTES) / MEMORY_BYTES) * 100,
  );
  const cpu = await worst(
    ["/bin/sh", "-c", "(while :; do :; done) & while :; do :; done"],
    { limits: { cpuMs: 1000 } },
    ({ cpuMs }) => Math.abs(cpuMs - 1000),
  );
  const wall = await worst(["/bin/sleep", "60"], { limits: { wallMs: 500 } }, ({ wallMs }) =>
    Math.abs(wallMs - 500),
  );
  const began = performance.now();
  const { failures } = await sandbox.selfTest();
  if (failures.length > 0) throw new Error(`The self-test failed: ${failures.join("; ")}`);
  return [
    atMost("memory of two processes, off its limit, worst", memory, "%", 2),
    atMost("processor time of two processes, off 1 s, worst", cpu, "ms", 100),
    atMost("wall time, off 500 ms, worst", wall, "ms", 200),
    atMost("self-test", performance.now() - began, "ms", 1000),
  ];
}

type Usage = Awaited<ReturnType<typeof runProgram>>["usage"];

function atMost(name: string, value: number, unit: string, most: number): Figure {
  return { name, value, unit, target: `≤ ${most} ${unit}`, met: value <= most };
}

async function runBare([program, ...args]: readonly string[]): Promise<void> {
  const child = spawn(program!, args, { stdio: "pipe" });
  child.stdin.end();
  child.stdout.resume();
  const [errors, code] = await Promise.all([
    text(child.stderr),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}: ${errors}`);
}

/** Writes a bundle for runc with the machine's programs, in namespaces of its own. */
function writeBundle(folder: string): string {
  const { folders, links } = programFolders();
  for (const path of ["/proc", "/dev", ...Object.keys(folders)])
    mkdirSync(join(folder, "root", path), { recursive: true });
  for (const [target, path] of links) symlinkSync(target, join(folder, "root", path));
  const config = {
    ociVersion: "1.0.2",
    process: {
      ...{ terminal: false, user: { uid: 0, gid: 0 }, args: ["/bin/true"], cwd: "/", noNewPrivileges: true },
      env: ["PATH=/usr/bin:/bin"],
    },
    root: { path: "root", readonly: true },
    mounts: [
      ...Object.entries(folders).map(([destination, source]) => ({
        ...{ destination, source, type: "bind", options: ["rbind", "ro", "nosuid"] },
      })),
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ],
    linux: {
      resources: { memory: { limit: 2 ** 26 }, pids: { limit: 32 } },
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
    },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}
