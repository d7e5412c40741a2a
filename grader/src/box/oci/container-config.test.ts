import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hiddenFiles } from "../bubblewrap/host-files.ts";
import type { BoxLimits, BoxPlan } from "../sandbox.ts";
import { containerConfig } from "./container-config.ts";
import { RUNTIMES, type RuntimeName, runtimes } from "./runtimes.ts";
import { seccompProfile } from "./seccomp-profile.ts";

const MEBIBYTE = 2 ** 20;
const profile = seccompProfile("x64", runtimes.runc)!;

interface Config {
  ociVersion: string;
  hostname: string;
  root: unknown;
  process: Record<string, unknown> & {
    env: string[];
    rlimits: { type: string; hard: number; soft: number }[];
  };
  mounts: { destination: string; type: string; source: string; options: string[] }[];
  linux: Record<string, unknown> & { namespaces: { type: string }[]; maskedPaths: string[] };
}

function configOf(
  name: RuntimeName,
  changes: Partial<BoxPlan> = {},
  limits: Partial<BoxLimits> = {},
): Config {
  const plan: BoxPlan = {
    ...{ command: ["/bin/true"], cwd: "/code", env: {}, readable: {}, stdin: "pipe" },
    ...changes,
    limits: {
      ...{ memoryBytes: null, cpuMs: null, wallMs: null, processes: 10, scratchBytes: MEBIBYTE },
      ...limits,
    },
  };
  const config = containerConfig(plan, {
    ...{ runtime: runtimes[name], profile, bundle: "/mnt", command: ["/bin/sh", "-c", "attendant"] },
    sources: new Map([
      ["/usr", "/tmp/0"],
      ["/data/a", "/tmp/1/file"],
    ]),
    ids: { root: 7000, program: 7001 },
  });
  return JSON.parse(JSON.stringify(config));
}

function mountsOf(
  ...args: Parameters<typeof configOf>
): Record<string, Omit<Config["mounts"][number], "destination">> {
  return Object.fromEntries(configOf(...args).mounts.map(({ destination, ...rest }) => [destination, rest]));
}

describe.each(RUNTIMES)("the container of a box of %s", (name) => {
  it("has no capabilities, and its program is not root and cannot gain rights", () => {
    const { process } = configOf(name);
    expect(process.capabilities).toEqual({
      ...{ bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
    });
    expect(process).toMatchObject({
      ...{ user: { uid: 1000, gid: 1000 }, noNewPrivileges: true, terminal: false },
    });
  });

  it("shares no namespace of the machine", () => {
    const types = configOf(name).linux.namespaces.map(({ type }) => type);
    expect(types.filter((type) => type !== "user").sort()).toEqual([
      ...["cgroup", "ipc", "mount", "network", "pid", "uts"],
    ]);
    expect(configOf(name).linux.namespaces.every((namespace) => !("path" in namespace))).toBe(true);
  });

  it("has a root that cannot be written, and the filter of system calls", () => {
    const { root, linux, ociVersion, hostname } = configOf(name);
    expect(root).toEqual({ path: "rootfs", readonly: true });
    expect(linux.seccomp).toEqual(JSON.parse(JSON.stringify(profile)));
    expect([ociVersion, hostname]).toEqual(["1.0.2", "box"]);
  });

  it("runs its command in the plan's folder and environment, with the paths of the box", () => {
    const { process } = configOf(name, { env: { LANG: "C", PATH: "/evil", HOME: "/root" } });
    expect(process).toMatchObject({ args: ["/bin/sh", "-c", "attendant"], cwd: "/code" });
    expect(process.env).toEqual([
      ...["LANG=C", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp"],
    ]);
  });

  it("limits each process, too", () => {
    const { rlimits } = configOf(name, {}, { processes: 10, scratchBytes: 2 * MEBIBYTE }).process;
    expect(rlimits.map(({ type, hard }) => `${type} ${hard}`).sort()).toEqual([
      ...["RLIMIT_CORE 0", "RLIMIT_FSIZE 2097152", "RLIMIT_MEMLOCK 65536", "RLIMIT_MSGQUEUE 0"],
      ...["RLIMIT_NICE 0", "RLIMIT_NOFILE 4096", "RLIMIT_NPROC 16", "RLIMIT_RTPRIO 0"],
    ]);
    for (const { hard, soft } of rlimits) expect(soft).toBe(hard);
  });

  it("has folders in memory of limited size, from which no file gives rights", () => {
    const small = mountsOf(name, {}, { scratchBytes: MEBIBYTE });
    for (const path of ["/tmp", "/out", "/dev/shm"])
      expect(small[path]).toEqual({
        ...{ type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", "size=1048576"] },
      });
    const large = mountsOf(name, {}, { scratchBytes: 1024 * MEBIBYTE });
    expect(large["/tmp"]!.options).toContain("size=1073741824");
    expect(large["/dev/shm"]!.options).toContain("size=67108864");
    expect(small["/proc"]).toEqual({
      ...{ type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    });
    expect(small["/dev"]).toMatchObject({ type: "tmpfs", source: "tmpfs" });
    expect(small["/dev"]!.options).toEqual(
      expect.arrayContaining(["nosuid", "noexec", "mode=755", "size=65536"]),
    );
    expect(small["/dev/pts"]).toEqual({
      ...{ type: "devpts", source: "devpts" },
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    });
  });

  it("can only read the parts of the plan", () => {
    const mounts = mountsOf(name);
    const bind = { type: "bind", options: ["bind", "ro", "nosuid", "nodev"] };
    expect(mounts["/usr"]).toEqual({ ...bind, source: "/tmp/0" });
    expect(mounts["/data/a"]).toEqual({ ...bind, source: "/tmp/1/file" });
  });

  it("brings a folder before what is in it", () => {
    const paths = configOf(name).mounts.map(({ destination }) => destination);
    for (const [at, path] of paths.entries())
      expect(paths.slice(0, at).some((earlier) => earlier.startsWith(`${path}/`))).toBe(false);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

describe("the container of a box on the kernel of the machine", () => {
  it("maps its two users, one to one, to users that the machine has not", () => {
    const { linux } = configOf("runc");
    const mappings = [
      { containerID: 0, hostID: 7000, size: 1 },
      { containerID: 1000, hostID: 7001, size: 1 },
    ];
    expect(linux).toMatchObject({ uidMappings: mappings, gidMappings: mappings });
    expect(linux.namespaces).toContainEqual({ type: "user" });
  });

  it("hides each file of /proc that tells of the machine once: by a file of its own, where runc allows it", () => {
    const mounts = mountsOf("runc");
    const covered = ["/proc/diskstats", "/proc/loadavg", "/proc/stat", "/proc/swaps"].filter(existsSync);
    expect(covered).toContain("/proc/loadavg");
    for (const path of covered)
      expect(mounts[path]).toEqual({
        ...{ type: "bind", source: "/mnt/empty", options: ["bind", "ro", "nosuid", "nodev"] },
      });
    const { maskedPaths } = configOf("runc").linux;
    expect(new Set([...maskedPaths, ...covered])).toEqual(new Set([...hiddenFiles(), ...covered]));
    for (const path of covered) expect(maskedPaths).not.toContain(path);
    const binds = Object.keys(mounts).filter((path) => /^\/(proc|sys|box)/.test(path));
    expect(binds).toEqual(["/proc", ...covered]);
  });

  it("cannot write settings of the kernel and devices", () => {
    expect(configOf("runc").linux.readonlyPaths).toEqual([
      ...["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
    ]);
    expect(mountsOf("runc")["/dev"]!.options).toContain("ro");
  });
});

describe("the container of a box with a kernel of its own", () => {
  it("needs no users of the machine, and no files of it hidden", () => {
    const { linux } = configOf("runsc");
    expect(Object.keys(linux).sort()).toEqual(["namespaces", "seccomp"]);
    expect(linux.namespaces).not.toContainEqual({ type: "user" });
  });

  it("shows its programs the same as other boxes: no load and no /sys", () => {
    const mounts = mountsOf("runsc");
    const bind = { type: "bind", options: ["bind", "ro", "nosuid", "nodev"] };
    for (const path of ["/proc/cmdline", "/proc/loadavg", "/proc/stat"])
      expect(mounts[path]).toEqual({ ...bind, source: "/mnt/empty" });
    expect(mounts["/sys"]).toEqual({ ...bind, source: "/mnt/closed" });
    expect(Object.keys(mounts).filter((path) => path.startsWith("/proc/"))).toHaveLength(3);
  });

  it("has devices that can be written, and the attendant's pipes", () => {
    const mounts = mountsOf("runsc");
    expect(mounts["/dev"]!.options).toEqual(["nosuid", "noexec", "mode=755", "size=65536"]);
    expect(mounts["/box"]).toEqual({
      ...{ type: "bind", source: "/mnt/pipes", options: ["bind", "nosuid", "nodev"] },
    });
  });
});
