import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openTestSandbox } from "../../testing/boxes.ts";
import { killGraders } from "../../testing/killed-graders.ts";
import { SLOWNESS } from "../abuse.contract.ts";
import { describeLessons } from "../lessons.contract.ts";
import { describeSandbox } from "../sandbox.contract.ts";
import { openBubblewrap } from "./bubblewrap.ts";
import numbers from "./syscall-numbers.json" with { type: "json" };

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());
/** `npm run boxes` runs more of them than `npm test`. */
const KILLED_BOXES = SLOWNESS > 1 ? 30 : process.env.CROWDAI_TEST_BOXES === "all" ? 300 : 60;

describeSandbox("bubblewrap", sandbox);
describeLessons("bubblewrap", sandbox);

it("without control groups, there are no boxes, because no limit of memory would hold", async () => {
  expect(await openBubblewrap({ folder: "/nowhere", groups: null })).toEqual({
    missing: expect.stringContaining(process.getuid?.() === 0 ? "control groups" : "root"),
  });
});

it("the numbers of system calls are those of libseccomp", ({ skip }) => {
  const RESOLVE = `
import ctypes, json, sys
lib = ctypes.CDLL("libseccomp.so.2")
print(json.dumps({arch: {name: lib.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(token), name.encode()) for name in names}
  for (arch, token), names in zip((("x64", 0xC000003E), ("arm64", 0xC00000B7)), json.load(sys.stdin))}))`;
  let text: string;
  try {
    text = execFileSync("python3", ["-c", RESOLVE], {
      input: JSON.stringify([Object.keys(numbers.x64), Object.keys(numbers.arm64)]),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    });
  } catch {
    return skip("libseccomp is not installed");
  }
  const found = JSON.parse(text) as Record<string, Record<string, number>>;
  // Negative: libseccomp does not know the call, or this architecture lacks it.
  for (const arch of ["x64", "arm64"] as const)
    for (const [name, number] of Object.entries(numbers[arch]))
      if (found[arch]![name]! >= 0) expect([name, found[arch]![name]]).toEqual([name, number]);
});

it.runIf(sandbox)(
  "a killed grader leaves no process, and its groups are removed at the next start",
  async () => {
    const program = `
import { findControlGroups } from "${import.meta.dirname}/../../confinement/control-groups.ts";
import { openBubblewrap } from "${import.meta.dirname}/bubblewrap.ts";
import { runProgram } from "${import.meta.dirname}/../run-program.ts";
const sandbox = await openBubblewrap({ folder: process.argv[1], groups: await findControlGroups() });
void runProgram(sandbox.start, ["/bin/sh", "-c", "setsid sleep 601.25 & echo ready; sleep 601.25"], {
  onStart: (box) => box.stdout.once("data", () => console.log("ready")),
});`;
    const folder = mkdtempSync("/tmp/crowdai-killed-");
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const left = () =>
      readdirSync("/proc").filter((pid) => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("601.25\0");
        } catch {
          return false;
        }
      });
    await expect.poll(left).toEqual([]);
    const { findControlGroups } = await import("../../confinement/control-groups.ts");
    const groups = await findControlGroups();
    const { memory } = groups!.hierarchies;
    await expect
      .poll(() => readdirSync(memory).filter((name) => name.startsWith(`crowdai-${child.pid}.`)))
      .toEqual([]);
    rmSync(folder, { recursive: true, force: true });
    expect(existsSync(folder)).toBe(false);
  },
);

it.runIf(sandbox)(
  `graders that are killed at random while they run ${KILLED_BOXES} boxes leave nothing after the next start`,
  { timeout: 300_000 * SLOWNESS },
  async () => {
    const parent = mkdtempSync(join(tmpdir(), "crowdai-kills-"));
    const into = mkdtempSync(join(parent, "out-"));
    const left = await killGraders({
      boxes: KILLED_BOXES,
      folder: join(parent, "boxes"),
      into,
      random: Math.random,
    });
    rmSync(parent, { recursive: true, force: true });
    expect(left).toEqual([]);
  },
);
