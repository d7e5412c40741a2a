import { execFile, spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { promisify } from "node:util";
import { type ControlGroups, JOIN } from "../../confinement/control-groups.ts";
import { ATTENDANT, ONE_SOCKET } from "../attendant.ts";
import { createBoxUsers } from "../bubblewrap/box-users.ts";
import { type FindTool, findTool } from "../bubblewrap/find-tools.ts";
import { imageFolders, programFolders, writeEtc } from "../bubblewrap/host-files.ts";
import { BOX, type Box, type BoxPlan, type Sandbox } from "../sandbox.ts";
import { selfTest } from "../self-test.ts";
import { type RunningBox, superviseBox } from "../supervise-box.ts";
import { createBoxFolder } from "./box-folder.ts";
import { BUNDLE, createBundle } from "./bundle.ts";
import { containerConfig, PIPES } from "./container-config.ts";
import { type Runtime, type RuntimeName, runtimes } from "./runtimes.ts";
import { type SeccompProfile, seccompProfile } from "./seccomp-profile.ts";

/**
 * Makes the mounts of a box, and becomes the runtime. It cannot make control groups: the box would leave its
 * own. The devices are copied, because a lock on a shared one would carry messages between boxes.
 */
const START = `
"$1" --all --fstab "$2" && "$1" -o bind,ro /sys/fs/cgroup /sys/fs/cgroup && mkdir /tmp/devices &&
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /tmp/devices &&
"$1" --bind /tmp/devices /dev && cd / || exit 125
shift 2; exec "$@"`;

/**
 * Starts a box by a runtime that passes on no descriptors: three processes beside it pass on what they carry,
 * through pipes with a name. The names are gone when the attendant has opened them.
 */
const START_WITH_PIPES = `
"$1" --all --fstab "$2" && cd ${BUNDLE}/pipes && mkfifo requests output notices && chmod 666 requests output notices || exit 125
shift 2
( exec >requests; rm requests; exec cat <&3 4>&- ) &
( exec <output; rm output; exec cat >&4 3<&- ) &
( exec <notices; rm notices; exec cat >&3 4>&- ) &
cd /; exec "$@" 3<&- 4>&-`;

const OPEN_PIPES = `exec 3<${PIPES}/requests 4>${PIPES}/output 5>${PIPES}/notices || exit 125\n`;

const TOOLS = ["mount", "setpriv", "unshare"] as const;
type Tools = Record<(typeof TOOLS)[number] | "runtime", string>;

export interface OciOptions {
  runtime: RuntimeName;
  /** The grader's folder for its boxes. Emptied at start. */
  folder: string;
  groups: ControlGroups | null;
  /** Default: the system's own programs. */
  find?: FindTool;
  /** Default: the runtime's. */
  spawnProcess?: typeof spawn;
}

/**
 * Opens the sandbox that uses a runtime with runc's command line. Returns why not when something that it
 * needs is missing.
 */
export async function openOci(options: OciOptions): Promise<Sandbox | { missing: string }> {
  const { folder, groups, find = findTool, spawnProcess = spawn } = options;
  const runtime = runtimes[options.runtime];
  if (process.platform !== "linux") return { missing: "boxes need Linux" };
  if (process.getuid?.() !== 0) return { missing: "the grader does not run as root" };
  if (!groups)
    return { missing: "the grader may not make control groups, so that no limit of memory would hold" };
  const profile = seccompProfile(process.arch, runtime);
  if (!profile) return { missing: `there is no list of system calls for ${process.arch}` };
  const path = find(runtime.name);
  if (path === null) return { missing: `${runtime.name} is not installed` };
  const tools: Partial<Tools> = { runtime: path };
  for (const name of TOOLS) {
    const tool = find(name);
    if (tool === null) return { missing: `${name} (util-linux) is not installed` };
    tools[name] = tool;
  }
  const version = await promisify(execFile)(path, ["--version"], { env: {} }).then(
    ({ stdout }) => stdout.match(/version (\S+)/)?.[1] ?? "of an unknown version",
    () => null,
  );
  if (version === null) return { missing: `${path} cannot be started` };

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeEtc(join(folder, "etc"));
  const takeUser = createBoxUsers();
  const start = (plan: BoxPlan) =>
    startBox(plan, { folder, runtime, tools: tools as Tools, profile, groups, takeUser, spawnProcess });
  return {
    name: `${runtime.name} ${version}, ${groups.name}`,
    start,
    selfTest: () => selfTest(start, folder),
  };
}

function startBox(
  plan: BoxPlan,
  context: {
    folder: string;
    runtime: Runtime;
    tools: Tools;
    profile: SeccompProfile;
    groups: ControlGroups;
    takeUser: ReturnType<typeof createBoxUsers>;
    spawnProcess: typeof spawn;
  },
): Box {
  const { folder, runtime, tools, profile, groups, takeUser, spawnProcess } = context;
  const undo: (() => void)[] = [];
  try {
    const root = takeUser();
    undo.push(root.release);
    const program = takeUser();
    undo.push(program.release);
    const programs =
      plan.root === undefined ? programFolders() : imageFolders(plan.root, Object.keys(plan.readable));
    const etc: Record<string, string> = plan.root === undefined ? { "/etc": join(folder, "etc") } : {};
    const boxFolder = createBoxFolder(
      folder,
      { ...programs.folders, ...etc, ...plan.readable },
      plan.inbox === undefined ? null : { source: plan.inbox, path: BOX.inbox },
    );
    undo.push(boxFolder.remove);
    const attendant = (runtime.hostKernel ? ONE_SOCKET : OPEN_PIPES) + ATTENDANT;
    const bundle = createBundle(folder, {
      config: containerConfig(plan, {
        ...{ runtime, profile, sources: boxFolder.sources, bundle: BUNDLE },
        ids: { root: root.id, program: program.id },
        command: ["/bin/sh", "-c", attendant, "box", ...plan.command],
      }),
      boxFolder,
      links: programs.links,
    });
    undo.push(bundle.remove);
    const { memoryBytes, processes } = plan.limits;
    const group = groups.create({
      memoryBytes: memoryBytes === null ? null : memoryBytes + runtime.own.memoryBytes,
      processes: processes + 6 + runtime.own.processes,
    });
    undo.push(() => void group.close());
    const child = spawnProcess(
      "/bin/sh",
      [
        ...["-c", JOIN, "sh", ...group.joinFiles, "--"],
        ...[tools.setpriv, "--pdeathsig", "KILL", "--"],
        // All processes of the runtime end with it.
        ...[tools.unshare, "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
        ...["--mount-proc", "--", "/bin/sh", "-c", runtime.hostKernel ? START : START_WITH_PIPES, "sh"],
        ...[tools.mount, bundle.mounts],
        ...[tools.runtime, "--root", `${BUNDLE}/state`, ...runtime.options],
        ...["run", "--bundle", BUNDLE, ...runtime.runOptions, bundle.id],
      ],
      { cwd: "/", env: {}, detached: true, stdio: [plan.stdin, "pipe", "pipe", "pipe", "pipe"] },
    );
    return superviseBox({
      child: child as RunningBox,
      // There are no streams where no descriptors are left.
      requests: child.stdio?.[3] as Duplex,
      output: child.stdio?.[4] as Readable,
      ...{ group, limits: plan.limits },
      release() {
        for (const step of [bundle.remove, boxFolder.remove, root.release, program.release]) step();
      },
    });
  } catch (error) {
    for (const step of undo) step();
    throw error;
  }
}
