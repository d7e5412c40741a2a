import { BOX, type BoxPlan } from "../sandbox.ts";
import { hiddenFiles, type ProgramFolders } from "./host-files.ts";

/** Ids of the program in its box. */
const USER = "1000";
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 4096;

/** Descriptors that bubblewrap inherits. */
export const DESCRIPTORS = { requests: 3, output: 4, arguments: 5, filter: 6 } as const;

/** Returns the options of bubblewrap for a box. The root is empty: only what is named here is in it. */
export function bubblewrapArguments(
  plan: BoxPlan,
  links: ProgramFolders["links"],
  sources: ReadonlyMap<string, string>,
): string[] {
  const sized = (path: string, bytes: number, mode = "1777") => [
    ...["--perms", mode, "--size", String(bytes)],
    ...["--tmpfs", path],
  ];
  return [
    ...["--unshare-all", "--unshare-user", "--uid", USER, "--gid", USER, "--disable-userns"],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "box", "--clearenv"],
    ...Object.entries({ ...plan.env, PATH: BOX.path, HOME: BOX.scratch, TMPDIR: BOX.scratch }).flatMap(
      ([name, value]) => ["--setenv", name, value],
    ),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...hiddenFiles().flatMap((path) => ["--ro-bind", "/dev/null", path]),
    ...sized("/dev/shm", Math.min(SHARED_MEMORY_BYTES, plan.limits.scratchBytes)),
    ...sized(BOX.scratch, plan.limits.scratchBytes),
    ...sized(BOX.output, plan.limits.scratchBytes),
    ...links.flatMap(([target, path]) => ["--symlink", target, path]),
    ...[...sources].flatMap(([path, source]) => ["--ro-bind", source, path]),
    ...["--remount-ro", "/dev", "--remount-ro", "/"],
    ...["--chdir", plan.cwd, "--seccomp", String(DESCRIPTORS.filter)],
  ];
}

/** Returns limits of each process, for prlimit. They are second to those of the control groups. */
export function processLimits({ limits }: BoxPlan): string[] {
  return [
    // Bubblewrap, the attendant and what collects the files need some too.
    `--nproc=${limits.processes + 6}`,
    `--nofile=${MAX_OPEN_FILES}`,
    `--fsize=${limits.scratchBytes}`,
    ...["--core=0", "--memlock=65536", "--msgqueue=0", "--rtprio=0", "--nice=0"],
  ];
}
