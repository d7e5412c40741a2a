import { existsSync } from "node:fs";
import { hiddenFiles } from "../bubblewrap/host-files.ts";
import { BOX, type BoxPlan } from "../sandbox.ts";
import type { Runtime } from "./runtimes.ts";
import type { SeccompProfile } from "./seccomp-profile.ts";

/** Ids of the program in its box. */
const USER = 1000;
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;
const MAX_OPEN_FILES = 4096;
const NAMESPACES = ["cgroup", "ipc", "mount", "network", "pid", "uts"];

/**
 * Hidden files that runc allows to mount over. It covers the others with /dev/null, so that a lock on one is
 * a lock on all.
 */
const COVERABLE = ["/proc/diskstats", "/proc/loadavg", "/proc/stat", "/proc/swaps"].filter((path) =>
  existsSync(path),
);

/** Where the attendant finds its pipes, when the runtime passes on no descriptors. */
export const PIPES = "/box";

/** A mount of the container. */
interface Mount {
  destination: string;
  type: string;
  source: string;
  options: readonly string[];
}

export interface ContainerConfig {
  ociVersion: string;
  root: { path: string; readonly: boolean };
  mounts: readonly Mount[];
  [field: string]: unknown;
}

/** Returns the config.json of a box. Only what is mounted here is in it. */
export function containerConfig(
  plan: BoxPlan,
  options: {
    runtime: Runtime;
    /** Where each readable file or folder is, by its path in the box. */
    sources: ReadonlyMap<string, string>;
    /** The bundle, where the runtime finds it. */
    bundle: string;
    profile: SeccompProfile;
    /** On this machine: ids of the container's root, which runs nothing in a box, and of the program. */
    ids: { root: number; program: number };
    command: readonly string[];
  },
): ContainerConfig {
  const { runtime, sources, bundle, profile, ids, command } = options;
  const { limits } = plan;
  const idMappings = [
    { containerID: 0, hostID: ids.root, size: 1 },
    { containerID: USER, hostID: ids.program, size: 1 },
  ];
  return {
    ociVersion: "1.0.2",
    hostname: "box",
    root: { path: "rootfs", readonly: true },
    process: {
      terminal: false,
      user: { uid: USER, gid: USER },
      args: command,
      env: Object.entries({ ...plan.env, PATH: BOX.path, HOME: BOX.scratch, TMPDIR: BOX.scratch }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      cwd: plan.cwd,
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      rlimits: processLimits(plan),
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      {
        ...{ destination: "/dev", type: "tmpfs", source: "tmpfs" },
        // A read-only /dev of runsc has devices that cannot be written.
        options: ["nosuid", "noexec", "mode=755", "size=65536", ...(runtime.hostKernel ? ["ro"] : [])],
      },
      {
        ...{ destination: "/dev/pts", type: "devpts", source: "devpts" },
        options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
      },
      tmpfs("/dev/shm", Math.min(SHARED_MEMORY_BYTES, limits.scratchBytes)),
      tmpfs(BOX.scratch, limits.scratchBytes),
      tmpfs(BOX.output, limits.scratchBytes),
      ...[...sources].map(([path, source]) => bind(path, source)),
      ...(runtime.hostKernel
        ? COVERABLE.map((path) => bind(path, `${bundle}/empty`))
        : mountsOverOwnKernel(bundle)),
    ],
    linux: {
      namespaces: [...NAMESPACES, ...(runtime.hostKernel ? ["user"] : [])].map((type) => ({ type })),
      ...(runtime.hostKernel && {
        ...{ uidMappings: idMappings, gidMappings: idMappings },
        maskedPaths: hiddenFiles().filter((path) => !COVERABLE.includes(path)),
        readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
      }),
      seccomp: profile,
    },
  };
}

/**
 * A kernel of its own tells of itself, not of this machine; hidden all the same, because programs must find
 * the same in all boxes.
 */
const mountsOverOwnKernel = (bundle: string): Mount[] => [
  ...["/proc/cmdline", "/proc/loadavg", "/proc/stat"].map((path) => bind(path, `${bundle}/empty`)),
  bind("/sys", `${bundle}/closed`),
  // Writable, because a pipe in it is written. Only root may change the folder.
  { destination: PIPES, type: "bind", source: `${bundle}/pipes`, options: ["bind", "nosuid", "nodev"] },
];

const bind = (destination: string, source: string): Mount => ({
  ...{ destination, type: "bind", source },
  options: ["bind", "ro", "nosuid", "nodev"],
});

const tmpfs = (destination: string, bytes: number): Mount => ({
  ...{ destination, type: "tmpfs", source: "tmpfs" },
  options: ["nosuid", "nodev", "mode=1777", `size=${bytes}`],
});

/** Limits of each process. They are second to those of the control groups. */
function processLimits({ limits }: BoxPlan) {
  const values = {
    // The attendant and what collects the files need some too.
    NPROC: limits.processes + 6,
    NOFILE: MAX_OPEN_FILES,
    FSIZE: limits.scratchBytes,
    ...{ CORE: 0, MEMLOCK: 65536, MSGQUEUE: 0, RTPRIO: 0, NICE: 0 },
  };
  return Object.entries(values).map(([name, value]) => ({
    ...{ type: `RLIMIT_${name}`, hard: value, soft: value },
  }));
}
