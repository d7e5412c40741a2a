import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planBoxParts } from "./box-parts.ts";
import { FLAGS, MADE } from "./starter.ts";

describe("the parts of a box", () => {
  let parent: string;
  const root = "/srv/boxes/root";
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), "crowdai-parts-"));
    mkdirSync(join(parent, "folder"));
    writeFileSync(join(parent, "file"), "42", { mode: 0o600 });
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));

  const plan = (
    readable: Record<string, string | string[]>,
    inbox: Parameters<typeof planBoxParts>[2] = null,
  ) => planBoxParts({ root, parent }, readable, inbox);
  const at = (parts: ReturnType<typeof plan>, target: string) =>
    parts.mounts.filter((mount) => mount.target === `${root}${target}`);

  it("begin in memory that covers the root of all boxes, and are moved to where bubblewrap finds them", () => {
    const { mounts, devices, nothing } = plan({});
    const memory = { type: "tmpfs", source: "crowdai-box", flags: FLAGS.none };
    expect(mounts[0]).toEqual({ ...memory, target: root, data: "mode=755,size=64k" });
    expect(mounts[1]).toEqual({ ...memory, target: `${root}/empty`, data: "mode=755,size=4k" });
    expect(mounts.at(-1)).toEqual({
      type: "none",
      source: root,
      target: "/tmp",
      flags: FLAGS.move,
      data: "",
    });
    expect([devices, nothing]).toEqual(["/tmp/dev", "/tmp/nothing"]);
    expect(mounts).toContainEqual({ ...made(MADE.file), source: "", target: `${root}/nothing` });
  });

  it("contain folders as read-only overlays of their own, the first over the others", () => {
    const parts = plan({ "/usr": "/usr", "/data": [join(parent, "folder"), "/etc"] });
    const links = [
      [join(parent, "folder"), "from-1-0"],
      ["/etc", "from-1-1"],
    ].map(([source, name]) => ({ ...made(MADE.link), source, target: `${root}/${name}` }));
    expect([...at(parts, "/from-1-0"), ...at(parts, "/from-1-1")]).toEqual(links);
    const overlay = { type: "overlay", source: "crowdai-box", target: `${root}/1`, flags: FLAGS.readOnly };
    const data = `lowerdir=${root}/from-1-0:${root}/from-1-1:${root}/empty`;
    expect(at(parts, "/1")).toEqual([{ ...overlay, data }]);
    expect(Object.fromEntries(parts.sources)).toEqual({ "/usr": "/tmp/0", "/data": "/tmp/1" });
    expect(readdirSync(parent).sort()).toEqual(["file", "folder"]);
  });

  it("have paths that only begin like another", () => {
    expect(() => plan({ "/usr": "/usr", "/usr-local": parent })).not.toThrow();
  });

  it("contain copies of files, which are removed with the box", () => {
    const umask = process.umask(0);
    const parts = plan({ "/a": join(parent, "file"), "/b": join(parent, "file") });
    process.umask(umask);
    expect(Object.fromEntries(parts.sources)).toEqual({ "/a": "/tmp/0/file", "/b": "/tmp/1/file" });
    const [bind] = at(parts, "/1");
    expect(bind).toMatchObject({ type: "none", flags: FLAGS.bind, data: "" });
    expect(readFileSync(join(bind!.source, "file"), "utf8")).toBe("42");
    expect(statSync(bind!.source).mode & 0o777).toBe(0o755);
    expect(readdirSync(parent)).toHaveLength(3);
    parts.remove();
    expect(readdirSync(parent).sort()).toEqual(["file", "folder"]);
    expect(() => parts.remove()).not.toThrow();
    expect(() => plan({}).remove()).not.toThrow();
  });

  it("leave no copies when a file is missing", () => {
    expect(() => plan({ "/a": join(parent, "file"), "/b": join(parent, "gone") })).toThrow("ENOENT");
    expect(readdirSync(parent).sort()).toEqual(["file", "folder"]);
  });

  it("contain the inbox itself, and only when there is one", () => {
    const parts = plan({}, { source: "/inboxes/1", path: "/job" });
    const bind = { type: "none", source: "/inboxes/1", target: `${root}/inbox`, flags: FLAGS.bind, data: "" };
    expect(at(parts, "/inbox")).toEqual([bind]);
    expect(parts.sources.get("/job")).toBe("/tmp/inbox");
    expect(at(plan({}), "/inbox")).toEqual([]);
  });

  it("contain a /dev of six devices, which is closed when it is filled", () => {
    const { mounts } = plan({});
    const inDev = mounts.filter(({ target }) => target.startsWith(`${root}/dev`));
    const devices = inDev.filter(({ type }) => type === MADE.device);
    expect(devices.map(({ source, target }) => [target.slice(root.length), Number(source)])).toEqual([
      ...[
        ["/dev/null", 259],
        ["/dev/zero", 261],
        ["/dev/full", 263],
      ],
      ...[
        ["/dev/random", 264],
        ["/dev/urandom", 265],
        ["/dev/tty", 1280],
      ],
    ]);
    const links = inDev.filter(({ type }) => type === MADE.link);
    expect(links.map(({ source, target }) => [target.slice(root.length), source])).toEqual([
      ...[
        ["/dev/fd", "/proc/self/fd"],
        ["/dev/stdin", "/proc/self/fd/0"],
        ["/dev/stdout", "/proc/self/fd/1"],
      ],
      ...[
        ["/dev/stderr", "/proc/self/fd/2"],
        ["/dev/ptmx", "pts/ptmx"],
      ],
    ]);
    expect(inDev.filter(({ type }) => type === "devpts")).toMatchObject([
      { target: `${root}/dev/pts`, data: "newinstance,ptmxmode=0666,mode=620" },
    ]);
    expect(inDev[0]).toMatchObject({ type: "tmpfs", target: `${root}/dev`, flags: FLAGS.none });
    expect(inDev.at(-2)).toMatchObject({ type: "tmpfs", target: `${root}/dev/shm` });
    expect(inDev.at(-1)).toMatchObject({ type: "tmpfs", target: `${root}/dev`, flags: FLAGS.nowReadOnly });
  });

  it.each(["/tmp/x", "/out/x", "/dev/null", "/proc/stat", "/job/x", "/usr/lib"])(
    "are refused with one inside of another: %s",
    (path) => {
      const inbox = { source: parent, path: "/job" };
      expect(() => plan({ "/usr": "/usr", [path]: parent }, inbox)).toThrow(`${path} is inside of another`);
    },
  );

  it("are refused with an inbox inside of another", () => {
    expect(() => plan({ "/usr": "/usr" }, { source: parent, path: "/usr/job" })).toThrow(
      "/usr/job is inside",
    );
  });

  it.each(["/srv/a b", "/srv/a:b", "/srv/a,b"])("are refused in a work folder like %s", (odd) => {
    expect(() => planBoxParts({ root: odd, parent }, {}, null)).toThrow(
      "characters that a mount cannot have",
    );
  });
});

const made = (type: string) => ({ type, flags: FLAGS.none, data: "" });
