import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBoxFolder } from "./box-folder.ts";

describe("the folder of a box", () => {
  let parent: string;
  let machine: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "crowdai-box-folder-"));
    machine = mkdtempSync(join(tmpdir(), "crowdai-machine-"));
    mkdirSync(join(machine, "folder"));
    writeFileSync(join(machine, "file"), "42", { mode: 0o644 });
  });
  afterEach(() => {
    for (const folder of [parent, machine]) rmSync(folder, { recursive: true, force: true });
  });

  const create = (
    readable: Record<string, string | string[]>,
    inbox: Parameters<typeof createBoxFolder>[2] = null,
  ) => createBoxFolder(parent, readable, inbox);
  const dirOf = () => join(parent, readdirSync(parent)[0]!);

  it("has a table that begins in memory of its own, and ends where every user can read", () => {
    const { mounts } = create({});
    const root = `${dirOf()}/root`;
    expect(mounts).toEqual([
      `crowdai-box ${root} tmpfs mode=755,size=64k 0 0`,
      `crowdai-box-empty ${root}/empty tmpfs mode=755,size=4k,X-mount.mkdir 0 0`,
      `${root} /tmp none rbind 0 0`,
    ]);
    expect(statSync(root).isDirectory()).toBe(true);
  });

  it("has folders as read-only overlays of their own, the first over the others", () => {
    const { mounts, sources, isFile } = create({
      "/usr": "/usr",
      "/data": [join(machine, "folder"), "/etc"],
    });
    const dir = dirOf();
    expect(mounts.slice(2, -1)).toEqual([
      `overlay ${dir}/root/0 overlay ro,lowerdir=${dir}/source-0-0:${dir}/root/empty,X-mount.mkdir 0 0`,
      `overlay ${dir}/root/1 overlay ro,lowerdir=${dir}/source-1-0:${dir}/source-1-1:${dir}/root/empty,X-mount.mkdir 0 0`,
    ]);
    const links = ["source-0-0", "source-1-0", "source-1-1"].map((name) => readlinkSync(join(dir, name)));
    expect(links).toEqual(["/usr", join(machine, "folder"), "/etc"]);
    expect(Object.fromEntries(sources)).toEqual({ "/usr": "/tmp/0", "/data": "/tmp/1" });
    expect([isFile("/usr"), isFile("/data")]).toEqual([false, false]);
  });

  it("has copies of files, so that no lock on one is seen elsewhere", () => {
    const umask = process.umask(0);
    const { mounts, sources, isFile } = create({ "/usr": "/usr", "/a": join(machine, "file") });
    process.umask(umask);
    const dir = dirOf();
    expect(mounts.at(-2)).toBe(`${dir}/source-1-0 ${dir}/root/1 none bind,X-mount.mkdir 0 0`);
    expect(sources.get("/a")).toBe("/tmp/1/file");
    expect([isFile("/a"), isFile("/usr")]).toEqual([true, false]);
    const copy = join(dir, "source-1-0");
    expect(statSync(copy).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(copy, "file"), "utf8")).toBe("42");
    expect(statSync(join(copy, "file")).ino).not.toBe(statSync(join(machine, "file")).ino);
  });

  it("has the inbox itself, and only when there is one", () => {
    const { mounts, sources, isFile } = create({}, { source: join(machine, "folder"), path: "/job" });
    const dir = dirOf();
    expect(mounts.at(-2)).toBe(`${dir}/inbox ${dir}/root/inbox none bind,X-mount.mkdir 0 0`);
    expect(readlinkSync(join(dir, "inbox"))).toBe(join(machine, "folder"));
    expect([sources.get("/job"), isFile("/job")]).toEqual(["/tmp/inbox", false]);
  });

  it("is removed with the box, and nothing that it leads to", () => {
    const folder = create({ "/a": join(machine, "file"), "/b": join(machine, "folder") });
    folder.remove();
    expect([readdirSync(parent), readdirSync(machine).sort()]).toEqual([[], ["file", "folder"]]);
    expect(() => folder.remove()).not.toThrow();
  });

  it("leaves nothing when it cannot be filled", () => {
    expect(() => create({ "/a": join(machine, "file"), "/b": join(machine, "gone") })).toThrow("ENOENT");
    expect(readdirSync(parent)).toEqual([]);
  });

  it("has paths that only begin like another", () => {
    expect(() => create({ "/usr": "/usr", "/usr-local": machine })).not.toThrow();
  });

  it.each(["/tmp/x", "/out/x", "/dev/null", "/proc/stat", "/job/x", "/usr/lib"])(
    "is refused with one part inside of another: %s",
    (path) => {
      const inbox = { source: machine, path: "/job" };
      expect(() => create({ "/usr": "/usr", [path]: machine }, inbox)).toThrow(
        `${path} is inside of another`,
      );
      expect(readdirSync(parent)).toEqual([]);
    },
  );

  it("is refused with an inbox inside of another part", () => {
    expect(() => create({ "/usr": "/usr" }, { source: machine, path: "/usr/job" })).toThrow(
      "/usr/job is inside",
    );
  });

  it.each(["a b", "a:b", "a,b"])("is refused in a work folder like %s", (odd) => {
    mkdirSync(join(parent, odd));
    expect(() => createBoxFolder(join(parent, odd), {}, null)).toThrow("characters that a mount cannot have");
    expect(readdirSync(join(parent, odd))).toEqual([]);
  });
});
