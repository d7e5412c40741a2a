import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { findControlGroups } from "./control-groups.ts";

const ROOT = "/sys/fs/cgroup";
/** `npm run boxes -- --v2` runs these in a virtual machine where this one has version 1. */
const hasVersion2 = readControllers().includes("memory") && process.getuid?.() === 0;
if (!hasVersion2)
  console.warn("NOT TESTED: control groups of version 2, because this machine has none with memory");

/** Looks twice for a place for groups, in a group of its own, and prints what it finds. */
const LOOK = `
import { readFileSync, readdirSync } from "node:fs";
import { findControlGroups } from "${import.meta.dirname}/control-groups.ts";
const found = [await findControlGroups(), await findControlGroups()];
const group = found[0]?.create({ memoryBytes: 2 ** 24, processes: 5 });
const read = (name) => readFileSync(group.joinFiles[0].replace("cgroup.procs", name), "utf8").trim();
const limits = group?.limitsMemory && [read("memory.max"), read("memory.swap.max"), read("memory.oom.group"), read("pids.max")];
await group?.close();
console.log(JSON.stringify({
  places: found.map((one) => one?.hierarchies.memory), limitsMemory: found.map((one) => one?.limitsMemory), limits,
  own: readFileSync("/proc/self/cgroup", "utf8").trim(), left: readdirSync(found[0].hierarchies.memory).filter((name) => name.startsWith("crowdai-")),
}));
`;

/** Runs a grader's search in a new group, after what `before` starts there. */
async function lookIn(group: string, before = ""): Promise<Record<string, unknown>> {
  const folder = `${ROOT}/${group}`;
  mkdirSync(folder);
  try {
    const script = `echo $$ > "$1"/cgroup.procs; ${before} exec "$2" --input-type=module -e "$3"`;
    const { stdout } = await promisify(execFile)("/bin/sh", [
      "-c",
      script,
      "sh",
      folder,
      process.execPath,
      LOOK,
    ]);
    return JSON.parse(stdout);
  } finally {
    writeFileSync(`${folder}/cgroup.kill`, "1");
    for (const one of [`${folder}/crowdai-grader`, folder])
      await expect.poll(() => isRemoved(one)).toBe(true);
  }
}

it.runIf(hasVersion2)("a grader alone in its group moves below it, and limits groups beside it", async () => {
  expect(await lookIn("crowdai-test-alone")).toEqual({
    places: [`${ROOT}/crowdai-test-alone`, `${ROOT}/crowdai-test-alone`],
    limitsMemory: [true, true],
    limits: ["16777216", "0", "1", "5"],
    own: "0::/crowdai-test-alone/crowdai-grader",
    left: ["crowdai-grader"],
  });
});

it.runIf(hasVersion2)(
  "a grader beside other processes moves none of them, and knows that nothing is limited",
  async () => {
    const { limitsMemory, own } = await lookIn("crowdai-test-shared", "sleep 600 >/dev/null 2>&1 &");
    expect({ limitsMemory, own }).toEqual({ limitsMemory: [false, false], own: "0::/crowdai-test-shared" });
  },
);

/** A group whose processes were killed can be removed a moment later. */
function isRemoved(folder: string): boolean {
  try {
    if (existsSync(folder)) rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function readControllers(): string[] {
  try {
    return readFileSync(`${ROOT}/cgroup.controllers`, "utf8").trim().split(" ");
  } catch {
    return [];
  }
}

const groups = process.getuid?.() === 0 ? await findControlGroups() : null;
it.runIf(groups?.limitsMemory)("a limit that members exceed already is refused or ends them", async () => {
  const group = groups!.create({ memoryBytes: null });
  const script = `echo $$ > "$1"; exec perl -e '$| = 1; $block = "x" x 5e7; print "ready"; sleep 600'`;
  const child = spawn("/bin/sh", ["-c", script, "sh", group.joinFiles[0]!], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const isSet = group.limit({ memoryBytes: 2 ** 20 });
  if (isSet) await expect.poll(group.ranOutOfMemory, { timeout: allowedMs(5000) }).toBe(true);
  group.closeNow();
  expect(existsSync(dirname(group.joinFiles[0]!))).toBe(false);
});
