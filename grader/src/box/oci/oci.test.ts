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
import { RUNTIMES, type RuntimeName } from "./runtimes.ts";

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
