import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BoxFolder } from "./box-folder.ts";
import { BUNDLE, createBundle } from "./bundle.ts";
import type { ContainerConfig } from "./container-config.ts";

const mount = (destination: string, type = "bind", options: string[] = []) => ({
  ...{ destination, type, source: "/tmp/0", options },
});
const CONFIG: ContainerConfig = {
  ociVersion: "1.0.2",
  root: { path: "rootfs", readonly: true },
  mounts: [
    ...[
      mount("/proc", "proc"),
      mount("/dev", "tmpfs", ["mode=755"]),
      mount("/dev/shm", "tmpfs", ["mode=1777"]),
    ],
    ...[mount("/tmp", "tmpfs", ["mode=1777"]), mount("/closed", "tmpfs", ["mode=755"])],
    ...[
      mount("/usr", "bind", ["mode=1777"]),
      mount("/data/a/file"),
      mount("/process"),
      mount("/opt/dev/a"),
      mount("/proc/stat"),
    ],
  ],
};
const BOX_FOLDER: BoxFolder = {
  ...{ mounts: ["first none", "second none"], sources: new Map(), remove() {} },
  isFile: (path) => path === "/data/a/file",
};

describe("the bundle of a box", () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "crowdai-bundles-"));
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  function create(links: [string, string][] = [["usr/bin", "/bin"]]) {
    const umask = process.umask(0);
    try {
      return createBundle(parent, { config: CONFIG, boxFolder: BOX_FOLDER, links });
    } finally {
      process.umask(umask);
    }
  }
  const modeOf = (...path: string[]) =>
    statSync(join(parent, readdirSync(parent)[0]!, ...path)).mode & 0o7777;

  it("has the container's name, and the mounts after that of the bundle itself", () => {
    const { id, mounts } = create();
    const dir = join(parent, readdirSync(parent)[0]!);
    expect(id).toBe(`crowdai-${process.pid}-${basename(dir)}`);
    expect(mounts).toBe(join(dir, "mounts"));
    expect(readFileSync(mounts, "utf8")).toBe(`${dir} ${BUNDLE} none bind 0 0\nfirst none\nsecond none\n`);
    expect(JSON.parse(readFileSync(join(dir, "config.json"), "utf8"))).toEqual(CONFIG);
  });

  it("can be read by the box's users, and written by none", () => {
    create();
    expect(modeOf()).toBe(0o755);
    for (const name of ["rootfs", "state", "pipes"]) expect([name, modeOf(name)]).toEqual([name, 0o755]);
    expect([modeOf("closed"), modeOf("empty")]).toEqual([0o700, 0o644]);
  });

  it("has a root of empty places for the mounts, without those inside of other mounts", () => {
    create();
    const root = join(parent, readdirSync(parent)[0]!, "rootfs");
    expect(readdirSync(root, { recursive: true }).sort()).toEqual([
      ...[
        "bin",
        "closed",
        "data",
        "data/a",
        "data/a/file",
        "dev",
        "opt",
        "opt/dev",
        "opt/dev/a",
        "proc",
        "process",
        "tmp",
        "usr",
      ],
    ]);
    expect(statSync(join(root, "data/a/file")).isFile()).toBe(true);
    expect(readlinkSync(join(root, "bin"))).toBe("usr/bin");
  });

  it("opens to all users the places of folders that all can write, because runc copies their mode", () => {
    create();
    expect(modeOf("rootfs", "tmp")).toBe(0o1777);
    for (const name of ["usr", "closed", "dev", "data", "data/a"])
      expect([name, modeOf("rootfs", name)]).toEqual([name, 0o755]);
    expect(modeOf("rootfs", "data/a/file")).toBe(0o644);
  });

  it("is removed with the box", () => {
    const bundle = create();
    bundle.remove();
    expect(readdirSync(parent)).toEqual([]);
    expect(() => bundle.remove()).not.toThrow();
  });

  it("leaves nothing when it cannot be filled", () => {
    expect(() => create([["usr/lib", "/usr"]])).toThrow("EEXIST");
    expect(readdirSync(parent)).toEqual([]);
  });
});
