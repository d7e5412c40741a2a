import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { BOX_USERS_PER_GRADER, firstBoxUser } from "../box/bubblewrap/box-users.ts";
import { groupHierarchies } from "../confinement/control-group.ts";

/**
 * Runs boxes in a loop, some of which leave something behind, and prints a line for each. Ends at the end of
 * its input.
 */
const GRADER = `
import { readdirSync } from "node:fs";
import { findControlGroups } from "${import.meta.dirname}/../confinement/control-groups.ts";
import { openBubblewrap } from "${import.meta.dirname}/../box/bubblewrap/bubblewrap.ts";
import { runProgram } from "${import.meta.dirname}/../box/run-program.ts";
const [folder, into, count] = process.argv.slice(-3);
const sandbox = await openBubblewrap({ folder, groups: await findControlGroups() });
const programs = [
  "exit 0",
  "setsid sleep 600 & setsid sleep 600 & exit 0",
  "echo 1 > /out/file; mkdir /out/folder; echo 2 > /out/folder/file",
  "sleep 0.1",
  "tail /dev/zero",
  "trap '' TERM; sleep 600",
  "exec >/dev/null 2>&1; for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; exit 3",
];
const box = (at) => runProgram(sandbox.start, ["/bin/sh", "-c", programs[at % programs.length]], {
  readable: { "/file": "/etc/passwd" },
  collectInto: into,
  limits: { wallMs: 300, memoryBytes: 2 ** 24 },
});
await box(0);
const descriptors = () => readdirSync("/proc/self/fd").length;
const before = descriptors();
console.log("ready");
let next = 1;
const work = async () => {
  while (next < Number(count)) {
    await box(next++);
    console.log("box");
  }
};
await Promise.all([work(), work(), work(), work()]);
await new Promise((resolve) => setTimeout(resolve, 100));
console.log("descriptors", descriptors() - before);
`;

export interface KillsOptions {
  /** How many boxes, in all graders together. */
  boxes: number;
  /** The folder of the boxes, the same for all graders, and one for what comes out of them. */
  folder: string;
  into: string;
  /** Returns a number from 0 to 1. */
  random(): number;
  onKill?(boxes: number): void;
}

/**
 * Kills graders at random moments while they run boxes, until these have run as many as wanted. Then starts
 * another one, and returns what is left of the others after its start, and of its own boxes: nothing, in a
 * list of lines.
 */
export async function killGraders({ boxes, folder, into, random, onKill }: KillsOptions): Promise<string[]> {
  const killed: number[] = [];
  let count = 0;
  while (count < boxes) {
    const { child, lines } = startGrader(folder, into, boxes);
    // Some are killed during their start, most between their boxes.
    const most = Math.floor(random() * 40);
    const until = sleep(most === 0 ? random() * 300 : 20_000);
    let own = 0;
    await Promise.race([
      until,
      (async () => {
        for await (const line of lines) if (line === "box" && ++own >= most) return;
      })(),
    ]);
    await sleep(random() * 30);
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    killed.push(child.pid!);
    count += own;
    onKill?.(count);
  }
  const last = startGrader(folder, into, 20);
  const said: string[] = [];
  for await (const line of last.lines) said.push(line);
  const graders = [...killed, last.child.pid!];
  const found = () => [...leftProcesses(graders), ...leftGroups(graders), ...leftMounts()];
  for (let retry = 0; retry < 50 && found().length > 0; retry++) await sleep(100);
  const files = readdirSync(folder).filter((name) => !["etc", "filter", "root"].includes(name));
  return [
    ...found(),
    ...files.map((name) => `file ${name}`),
    ...(said.at(-1) === "descriptors 0" ? [] : [`the last grader said ${said.at(-1)}`]),
  ];
}

function startGrader(folder: string, into: string, boxes: number) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", GRADER, folder, into, String(boxes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** Processes of the users that these graders take for boxes. */
function leftProcesses(graders: readonly number[]): string[] {
  const users = graders.map((pid) => firstBoxUser(pid));
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const status = readText(`/proc/${pid}/status`);
      const command = readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      const user = Number(status.match(/^Uid:\s+(\d+)/m)?.[1] ?? 0);
      const isTheirs = users.some((first) => user >= first && user < first + BOX_USERS_PER_GRADER);
      return isTheirs ? [`process ${pid}: ${command || "a zombie"}`] : [];
    });
}

function leftGroups(graders: readonly number[]): string[] {
  const [found] = groupHierarchies();
  const folders = found ? [found.memory, found.processes, found.cpu] : [];
  return folders
    .flatMap((folder) => (folder === null ? [] : readdirSync(folder).map((name) => join(folder, name))))
    .filter((path) => graders.some((pid) => path.includes(`/crowdai-${pid}.`)));
}

const leftMounts = () =>
  readText("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => line.includes("crowdai-box"));

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
