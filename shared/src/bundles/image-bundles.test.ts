import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packTar, type TarEntry } from "modern-tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundleContents } from "./bundle-files.ts";
import { packBundle } from "./pack-bundle.ts";
import { unpackBundle } from "./unpack-bundle.ts";

const CONFIG = JSON.stringify({
  ...{ id: "test", title: "Test", score: {}, evaluator: { command: ["python3", "evaluate.py"] } },
  run: { command: ["sh", "main.sh"], image: { path: "./image/" }, output: { path: "x" } },
});

describe("a bundle with an image that is a folder", () => {
  let folder: string;
  let dir: string;
  let into: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-image-bundle-"));
    dir = join(folder, "challenge");
    into = join(folder, "unpacked");
    await mkdir(join(dir, "image/usr/bin"), { recursive: true });
    await mkdir(into);
    await writeFile(join(dir, "challenge.json"), CONFIG);
    await writeFile(join(dir, "image/usr/bin/dash"), "program");
    await chmod(join(dir, "image/usr/bin/dash"), 0o755);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const link = (target: string, path: string) => symlink(target, join(dir, path));

  it("has the same files, empty folders and links when it is unpacked", async () => {
    await mkdir(join(dir, "image/var/empty"), { recursive: true });
    await mkdir(join(dir, "image/etc"));
    await writeFile(join(dir, "image/etc/.hidden"), "1");
    await writeFile(join(dir, "image/usr/module.pyc"), "2");
    await link("usr/bin", "image/bin");
    await link("dash", "image/usr/bin/sh");
    await link("/etc/.hidden", "image/usr/bin/absolute");
    await link("../../bin/sh", "image/usr/bin/through");
    await link(`../${"long/".repeat(40)}none`, "image/usr/dangling");
    const contents = await bundleContents(dir, ["image/"]);
    expect(contents.problems).toEqual([]);
    await unpackBundle(packBundle(contents), into);
    expect((await bundleContents(into, ["image/"])).version).toBe(contents.version);
    expect(await readlink(join(into, "image/usr/bin/absolute"))).toBe("/etc/.hidden");
    expect(await readFile(join(into, "image/bin/through"), "utf8")).toBe("program");
    expect(await readdir(join(into, "image/var/empty"))).toEqual([]);
    execFileSync("diff", ["-r", "--no-dereference", dir, into]);
  });

  it("has a version that depends on where links lead", async () => {
    await link("dash", "image/usr/bin/sh");
    const { version } = await bundleContents(dir, ["image/"]);
    await rm(join(dir, "image/usr/bin/sh"));
    await link("./dash", "image/usr/bin/sh");
    expect((await bundleContents(dir, ["image/"])).version).not.toBe(version);
  });

  it("is refused for links that lead out of the image, also through other links, and for links elsewhere", async () => {
    await link("../../challenge.json", "image/usr/out");
    await link("../..", "image/usr/bin/root");
    await link("usr/bin/root/../x", "image/through");
    await link("image/usr", "beside");
    const { problems } = await bundleContents(dir, ["image/"]);
    expect(problems.map(({ file }) => file).sort()).toEqual(["beside", "image/through", "image/usr/out"]);
  });

  const file = (name: string, body: string): TarEntry => ({ header: { name, size: body.length }, body });
  const linkEntry = (name: string, linkname: string): TarEntry => ({
    header: { name, size: 0, type: "symlink", linkname },
  });
  it.each<[string, TarEntry[]]>([
    ["a link beside its image", [linkEntry("evaluate.py", "image/evaluate.py")]],
    ["a link whose name only begins like the image", [linkEntry("image-2/x", "y")]],
    ["a link that leads out", [linkEntry("image/x", "../challenge.json")]],
    [
      "a link that leads out through another",
      [linkEntry("image/a/up", "/"), linkEntry("image/x", "a/up/../../y")],
    ],
    ["a link below a link", [linkEntry("image/etc", "/tmp"), linkEntry("image/etc/x", "y")]],
    ["a folder beside its image", [{ header: { name: "other/", size: 0, type: "directory" } }]],
    ["a hard link", [{ header: { name: "image/x", size: 0, type: "link", linkname: "challenge.json" } }]],
  ])("is not unpacked with %s", async (_, entries) => {
    const archive = gzipSync(await packTar([file("challenge.json", CONFIG), ...entries]));
    const bytes = async function* () {
      yield archive;
    };
    await expect(unpackBundle(bytes(), into)).rejects.toMatchObject({ code: "config_invalid" });
    expect(await readdir(into)).toEqual(["challenge.json"]);
  });
});
