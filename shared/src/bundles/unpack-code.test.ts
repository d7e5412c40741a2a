import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTar, type TarEntry } from "modern-tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unpackCode } from "./unpack-code.ts";

describe("unpacking the code of a submission", () => {
  let folder: string;
  let into: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-code-"));
    into = join(folder, "code");
    await mkdir(into);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function unpack(entries: TarEntry[]): Promise<void> {
    const archive = await packTar(entries);
    await unpackCode(
      (async function* () {
        yield archive;
      })(),
      into,
    );
  }
  const file = (name: string, body = "x"): TarEntry => ({ header: { name, size: body.length }, body });
  const link = (name: string, linkname: string, type: "symlink" | "link" = "symlink"): TarEntry => ({
    header: { name, size: 0, type, linkname },
  });

  it("writes files, modes, folders and links that stay inside", async () => {
    const run: TarEntry = { header: { name: "bin/run", size: 1, mode: 0o755 }, body: "r" };
    await unpack([file("a.py", "print()"), run, link("bin/a", "../a.py"), link("dir", "bin")]);
    expect(await readFile(join(into, "a.py"), "utf8")).toBe("print()");
    expect((await lstat(join(into, "bin/run"))).mode & 0o111).not.toBe(0);
    expect(await readFile(join(into, "bin/a"), "utf8")).toBe("print()");
    expect(await readlink(join(into, "dir"))).toBe("bin");
  });

  it("skips links that lead out, also through another link, and everything that is not a file", async () => {
    await unpack([
      file("kept"),
      link("absolute", "/etc/passwd"),
      link("above", "../secret"),
      link("deep/er", "../../secret"),
      link("here", "sub"),
      link("over", "here/../../../secret"),
      link("through", "here/x"),
      link("deep/up", ".."),
      link("deep/after", "up/../secret"),
      link("a/b/root", "../.."),
      link("a/b/root/below", "../../../secret"),
      link("hard", "kept", "link"),
      { header: { name: "pipe", size: 0, type: "fifo" } },
      { header: { name: "null", size: 0, type: "character-device" } },
    ]);
    expect((await readdir(into)).sort()).toEqual(["a", "deep", "here", "kept"]);
    for (const [folder, name] of [
      ["deep", "up"],
      ["a/b", "root"],
    ] as const)
      expect(await readdir(join(into, folder))).toEqual([name]);
  });

  it.each(["../out", "/abs", "a/../../out", "a//b", "a/./b", "a\\b"])("refuses the name %j", async (name) => {
    await expect(unpack([file(name)])).rejects.toMatchObject({ code: "digest_mismatch" });
    expect((await readdir(folder)).sort()).toEqual(["code"]);
  });

  it("writes nothing through a link, and no file twice", async () => {
    await unpack([link("dir", "/tmp"), file("dir/file")]).catch(() => {});
    expect((await lstat(join(into, "dir"))).isDirectory()).toBe(true);
    await expect(unpack([file("same"), file("same")])).rejects.toThrow();
  });
});
