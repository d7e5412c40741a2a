import { BOX, type BoxPlan } from "../sandbox.ts";
import type { BoxParts } from "./box-parts.ts";
import { hiddenFiles, type ProgramFolders } from "./host-files.ts";
import { DESCRIPTORS, type ProcessLimits } from "./starter.ts";

/** Ids of the program in its box. */
const USER = "1000";
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 4096;
/** With the timers of a program. */
const MAX_PENDING_SIGNALS = 4096;

/** Returns the options of bubblewrap for a box. The root is empty: only what is named here is in it. */
export function bubblewrapArguments(
  plan: BoxPlan,
  links: ProgramFolders["links"],
  parts: BoxParts,
): string[] {
  const sized = (path: string, bytes: number, mode = "1777") => [
    ...["--perms", mode, "--size", String(bytes)],
    ...["--tmpfs", path],
  ];
  return [
    ...["--unshare-all", "--unshare-user", "--uid", USER, "--gid", USER, "--disable-userns"],
    // The attendant is the first process: the program cannot kill it, and bubblewrap ends after it and leaves
    // no zombie.
    ...[
      "--as-pid-1",
      "--die-with-parent",
      "--new-session",
      "--cap-drop",
      "ALL",
      "--hostname",
      "box",
      "--clearenv",
    ],
    ...Object.entries({ ...plan.env, PATH: BOX.path, HOME: BOX.scratch, TMPDIR: BOX.scratch }).flatMap(
      ([name, value]) => ["--setenv", name, value],
    ),
    // First, when there are few mounts: bubblewrap reads the table of all for each of these.
    ...["--proc", "/proc"],
    ...hiddenFiles().flatMap((path) => ["--ro-bind", parts.nothing, path]),
    ...["--dev-bind", parts.devices, "/dev"],
    ...sized("/dev/shm", Math.min(SHARED_MEMORY_BYTES, plan.limits.scratchBytes)),
    ...sized(BOX.scratch, plan.limits.scratchBytes),
    ...sized(BOX.output, plan.limits.scratchBytes),
    ...links.flatMap(([target, path]) => ["--symlink", target, path]),
    ...[...parts.sources].flatMap(([path, source]) => ["--ro-bind", source, path]),
    ...["--remount-ro", "/"],
    ...["--chdir", plan.cwd, "--seccomp", String(DESCRIPTORS.filter)],
  ];
}

/** Returns limits of each process. They are second to those of the control groups. */
export function processLimits({ limits }: BoxPlan): ProcessLimits {
  return {
    // Bubblewrap, the attendant and what collects the files need some too.
    processes: limits.processes + 6,
    openFiles: MAX_OPEN_FILES,
    fileBytes: limits.scratchBytes,
    pendingSignals: MAX_PENDING_SIGNALS,
    ...{ coreBytes: 0, lockedBytes: 65536, queueBytes: 0, realTime: 0, nice: 0 },
  };
}
