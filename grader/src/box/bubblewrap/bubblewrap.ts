import { execFile, type spawn } from "node:child_process";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex, Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import type { ControlGroups } from "../../confinement/control-groups.ts";
import { ATTENDANT, ONE_SOCKET } from "../attendant.ts";
import { BOX, type Box, type BoxPlan, type Sandbox } from "../sandbox.ts";
import { selfTest } from "../self-test.ts";
import { type RunningBox, superviseBox } from "../supervise-box.ts";
import { bubblewrapArguments, processLimits } from "./arguments.ts";
import { planBoxParts } from "./box-parts.ts";
import { createBoxUsers } from "./box-users.ts";
import { type FindTool, findTools } from "./find-tools.ts";
import { imageFolders, programFolders, writeEtc } from "./host-files.ts";
import { seccompFilter } from "./seccomp.ts";
import { DESCRIPTORS, starterPlan } from "./starter.ts";
import { createStarters } from "./starters.ts";

export interface BubblewrapOptions {
  /** The grader's folder for its boxes. Emptied at start. */
  folder: string;
  groups: ControlGroups | null;
  /** Default: the system's own programs. */
  find?: FindTool;
  /** Default: the runtime's. */
  spawnProcess?: typeof spawn;
}

/**
 * Opens the sandbox that uses bubblewrap and control groups. Returns why not when something that it needs is
 * missing.
 */
export async function openBubblewrap(options: BubblewrapOptions): Promise<Sandbox | { missing: string }> {
  const { folder, groups, find, spawnProcess } = options;
  if (process.platform !== "linux") return { missing: "boxes need Linux" };
  if (process.getuid?.() !== 0) return { missing: "the grader does not run as root" };
  if (!groups)
    return { missing: "the grader may not make control groups, so that no limit of memory would hold" };
  const filter = seccompFilter(process.arch);
  if (!filter) return { missing: `there is no list of system calls for ${process.arch}` };
  const tools = findTools(find);
  if ("missing" in tools) return { missing: tools.missing };
  if ((statSync(tools.bwrap).mode & 0o6000) !== 0)
    return { missing: `${tools.bwrap} is setuid, which has let programs escape` };
  const version = await promisify(execFile)(tools.bwrap, ["--version"], { env: {} }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
  if (version === null) return { missing: `${tools.bwrap} cannot be started` };

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  mkdirSync(join(folder, "root"));
  writeEtc(join(folder, "etc"));
  const filterFile = join(folder, "filter");
  writeFileSync(filterFile, filter);
  const takeUser = createBoxUsers();
  const takeStarter = createStarters({ perl: tools.perl, filterFile, groups, spawnProcess });
  const start = (plan: BoxPlan) => startBox(plan, { folder, bwrap: tools.bwrap, takeStarter, takeUser });
  return { name: `${version}, ${groups.name}`, start, selfTest: () => selfTest(start, folder) };
}

function startBox(
  plan: BoxPlan,
  context: {
    folder: string;
    bwrap: string;
    takeStarter: ReturnType<typeof createStarters>;
    takeUser: ReturnType<typeof createBoxUsers>;
  },
): Box {
  const { folder, bwrap, takeStarter, takeUser } = context;
  const undo: (() => void)[] = [];
  try {
    const user = takeUser();
    undo.push(user.release);
    const programs =
      plan.root === undefined ? programFolders() : imageFolders(plan.root, Object.keys(plan.readable));
    const etc: Record<string, string> = plan.root === undefined ? { "/etc": join(folder, "etc") } : {};
    const parts = planBoxParts(
      { root: join(folder, "root"), parent: folder },
      { ...programs.folders, ...etc, ...plan.readable },
      plan.inbox === undefined ? null : { source: plan.inbox, path: BOX.inbox },
    );
    undo.push(parts.remove);
    const { memoryBytes, processes } = plan.limits;
    const forStarter = starterPlan({
      ...{ user: user.id, mounts: parts.mounts, limits: processLimits(plan) },
      command: [
        ...[bwrap, "--args", String(DESCRIPTORS.arguments), "--"],
        ...["/bin/sh", "-c", ONE_SOCKET + ATTENDANT, "box", ...plan.command],
      ],
    });
    const options = bubblewrapArguments(plan, programs.links, parts);
    const { child, group } = takeStarter(plan.stdin, { memoryBytes, processes: processes + 6 });
    undo.push(() => void group.close());
    // There are no streams where no descriptors are left.
    const toStarter = (child.stdio as unknown[] | undefined)?.[DESCRIPTORS.arguments] as Writable | undefined;
    toStarter?.on("error", () => {});
    toStarter?.end(Buffer.concat([forStarter, Buffer.from(options.map((option) => `${option}\0`).join(""))]));
    return superviseBox({
      child: child as RunningBox,
      requests: child.stdio?.[DESCRIPTORS.requests] as Duplex,
      output: child.stdio?.[DESCRIPTORS.output] as Readable,
      ...{ group, limits: plan.limits },
      release() {
        parts.remove();
        user.release();
      },
    });
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
}
