import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findControlGroups } from "../../confinement/control-groups.ts";
import { openTestSandbox } from "../../testing/boxes.ts";
import { describeHostilePrograms, HOSTILE_PROGRAMS } from "../abuse.contract.ts";
import { describeLessons } from "../lessons.contract.ts";
import { runProgram } from "../run-program.ts";
import { describeSandbox } from "../sandbox.contract.ts";
import { DIFFERENCES } from "./differences.ts";
import { openOci } from "./oci.ts";
import { RUNTIMES, type RuntimeName, runtimes } from "./runtimes.ts";
import { seccompProfile } from "./seccomp-profile.ts";

/** All hostile programs take a minute or more per runtime: `npm run boxes` runs them. */
const every = process.env.CROWDAI_TEST_BOXES === "all";
const SOME = [
  ...["capabilities", "daemon", "descriptors", "environment", "forged_messages", "host_files", "internet"],
  ...["kernel_files", "links_as_output", "memory_of_children", "mounts", "namespaces", "sockets", "terminal"],
].map((name) => `${name}.py`);

for (const runtime of RUNTIMES) {
  // The slower one is tested once: what differs between Node.js and Bun does not differ between runtimes.
  if (runtime === "runsc" && process.versions.bun && !every) continue;
  const sandbox = await openTestSandbox(`oci:${runtime}`);
  afterAll(() => sandbox?.[Symbol.dispose]());

  describeSandbox(runtime, sandbox);
  // A kernel of its own has locks of its own, and the memory that it needs itself is above the limit of a
  // box.
  if (runtime !== "runsc") describeLessons(runtime, sandbox);
  describeHostilePrograms(runtime, sandbox, every ? HOSTILE_PROGRAMS : SOME, DIFFERENCES[runtime]);

  it.runIf(sandbox)(`a box of ${runtime} leaves no files, mounts and control groups`, async () => {
    const before = traces();
    await Promise.all([
      runProgram(sandbox!.start, ["/bin/true"]),
      runProgram(sandbox!.start, ["/bin/sleep", "60"], { onStart: (box) => setTimeout(box.kill, 20) }),
      runProgram(sandbox!.start, ["/bin/sleep", "60"], { limits: { wallMs: 400 } }),
    ]);
    expect(traces()).toEqual(before);
  });

  it.runIf(sandbox)(`a killed grader leaves no box of ${runtime}`, () => killGrader(runtime));
}

/** Starts a box of a kind, prints "ready" when its program runs, and waits. */
const GRADER = `
import { findControlGroups } from "${import.meta.dirname}/../../confinement/control-groups.ts";
import { openSandbox } from "${import.meta.dirname}/../../jobs/open-sandbox.ts";
import { runProgram } from "${import.meta.dirname}/../run-program.ts";
const [, folder, name, seconds] = process.argv;
const { start } = await openSandbox(name, { folder, groups: await findControlGroups() });
const script = "setsid sleep " + seconds + " & echo ready; sleep " + seconds;
void runProgram(start, ["/bin/sh", "-c", script], {
  onStart: (box) => box.stdout.once("data", () => console.log("ready")),
});`;

async function killGrader(runtime: RuntimeName): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-killed-"));
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", GRADER, folder, `oci:${runtime}`, "601.75"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  // Processes of the runtime, and of the program: each has the name of the folder or the seconds in its
  // command.
  await expect
    .poll(() => commands().filter((command) => /601\.75|\/mnt\0/.test(command)), { timeout: 10_000 })
    .toEqual([]);
  const groups = await findControlGroups();
  const { memory } = groups!.hierarchies;
  await expect
    .poll(() => readdirSync(memory).filter((name) => name.startsWith(`crowdai-${child.pid}.`)))
    .toEqual([]);
  rmSync(folder, { recursive: true, force: true });
}

function commands(): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, "latin1")] : [];
    } catch {
      return [];
    }
  });
}

/** Lists the traces that a runtime may leave on the machine. */
function traces() {
  const list = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  return {
    states: [...list("/run/runc"), ...list("/run/runsc"), ...list("/var/run/runsc")],
    // It also ends with an error when a group of another test is removed while it looks.
    groups: spawnSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", `*crowdai-${process.pid}-*`], {
      encoding: "utf8",
    }).stdout,
    mounts: execFileSync("grep", ["-c", "", "/proc/self/mounts"], { encoding: "utf8" }),
  };
}

describe("a machine without what a runtime needs", () => {
  it("has no boxes, and the reason is named", async () => {
    const reason = process.getuid?.() === 0 ? "control groups" : "root";
    expect(await openOci({ runtime: "runc", folder: "/nowhere", groups: null })).toEqual({
      missing: expect.stringContaining(reason),
    });
  });
});

describe("the filter of system calls", () => {
  const rules = seccompProfile("x64", runtimes.runc)!.syscalls;
  const allows = (name: string, ...values: bigint[]) =>
    rules.some(
      (rule) =>
        rule.names.includes(name) &&
        (rule.args ?? []).every(
          ({ index, value, valueTwo }) => ((values[index] ?? 0n) & BigInt(value)) === BigInt(valueTwo!),
        ),
    );

  it("exists for x64 and arm64, and for no architecture without a list", () => {
    expect(seccompProfile("arm64", runtimes.runc)?.architectures).toEqual(["SCMP_ARCH_AARCH64"]);
    expect(seccompProfile("mips", runtimes.runc)).toBeNull();
  });

  it("refuses ptrace, so that no tracer decides on what it refuses", () => {
    for (const runtime of RUNTIMES) {
      const profile = seccompProfile("x64", runtimes[runtime])!;
      expect(profile.syscalls.flatMap(({ names }) => names)).not.toContain("ptrace");
    }
  });

  it("allows ioctl with every request but the two that write into a terminal, whatever the higher bits", () => {
    for (const request of [0x5412n, 0x541cn, 0x1_0000_5412n, 0xffff_ffff_0000_541cn])
      expect([request, allows("ioctl", 3n, request)]).toEqual([request, false]);
    for (let bit = 0n; bit < 32n; bit++) {
      expect(allows("ioctl", 3n, 0x5412n ^ (1n << bit))).toBe(true);
      expect(allows("ioctl", 3n, 0x541cn ^ (1n << bit))).toBe(true);
    }
    for (let request = 0x5400n; request < 0x5480n; request++)
      expect(allows("ioctl", 3n, request)).toBe(request !== 0x5412n && request !== 0x541cn);
  });

  it("allows new threads and processes, but no new namespaces", () => {
    expect(allows("clone", 17n)).toBe(true);
    expect(allows("clone", 0x3d0f00n)).toBe(true);
    for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n])
      expect(allows("clone", flag | 17n)).toBe(false);
    expect(allows("unshare", 0n)).toBe(false);
  });

  it("allows sockets of the internet and of the box, but no raw ones and no other families", () => {
    expect(allows("socket", 1n, 5n)).toBe(true);
    expect(allows("socket", 2n, 1n | 0o2000000n)).toBe(true);
    expect(allows("socket", 10n, 2n)).toBe(true);
    expect(allows("socket", 16n, 3n, 0n)).toBe(true);
    expect(allows("socket", 2n, 3n, 1n)).toBe(false);
    expect(allows("socket", 10n, 10n)).toBe(false);
    expect(allows("socket", 16n, 3n, 9n)).toBe(false);
    for (const family of [17n, 38n, 40n, 44n]) expect(allows("socket", family, 1n)).toBe(false);
  });
});
