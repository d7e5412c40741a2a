import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { publicFiles } from "./public-files.ts";
import { createTestFolder } from "./testing/test-folder.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the public files of a challenge", () => {
  it("are empty without a folder public/", async () => {
    expect(await publicFiles(await createTestFolder())).toEqual({ files: [], problems: [] });
  });

  it("are listed by name with size and digest, including subfolders", async () => {
    const dir = await createTestFolder({
      "public/train.csv": "a,b\n",
      "public/images/1.png": "",
      "private/answers.csv": "1",
    });
    const { files, problems } = await publicFiles(dir);
    expect(problems).toEqual([]);
    expect(files.map(({ name, size, sha256: digest }) => ({ name, size, digest }))).toEqual([
      { name: "images/1.png", size: 0, digest: sha256("") },
      { name: "train.csv", size: 4, digest: sha256("a,b\n") },
    ]);
  });

  it("may have any name that works on every machine; others are problems", async () => {
    const fit = ["-rf", "a b", "ünïcode ☃", "%2e%2e", "A.csv"];
    const unfit = ["back\\slash", "line\nbreak", "ends.", "<script>", "aux.csv", "a.csv"];
    const dir = await createTestFolder(
      Object.fromEntries([...fit, ...unfit].map((name) => [`public/${name}`, name])),
    );
    const { files, problems } = await publicFiles(dir);
    expect(files.map(({ name }) => name).toSorted()).toEqual(fit.toSorted());
    expect(problems.map(({ file }) => file).toSorted()).toEqual(
      unfit.map((name) => `public/${name}`).toSorted(),
    );
  });

  it("exclude hidden files and everything in hidden folders", async () => {
    const dir = await createTestFolder({
      "public/.env": "",
      "public/.git/config": "",
      "public/a/.DS_Store": "",
    });
    expect(await publicFiles(dir)).toEqual({ files: [], problems: [] });
  });

  it("may be links to other public files", async () => {
    const dir = await createTestFolder({
      "public/2026/train.csv": "x",
      "public/latest.csv": { link: "2026/train.csv" },
    });
    const { files, problems } = await publicFiles(dir);
    expect(problems).toEqual([]);
    expect(files.map(({ name, size }) => [name, size])).toEqual([
      ["2026/train.csv", 1],
      ["latest.csv", 1],
    ]);
  });

  it.each([
    ["the answers", "../private/answers.csv", "a link that leads out of public/"],
    ["a file of the machine", "/etc/hostname", "a link that leads out of public/"],
    ["the folder above", "..", "a link that leads out of public/"],
    [
      "a sibling folder with the same prefix",
      "../public-not/answers.csv",
      "a link that leads out of public/",
    ],
    ["nothing", "nowhere.csv", "a broken link"],
    ["itself", "link", "a broken link"],
    ["a hidden file", ".hidden", "a link to a hidden file"],
    ["a folder", "images", "something other than a file"],
  ])("may not be a link to %s", async (_, link, got) => {
    const dir = await createTestFolder({
      "private/answers.csv": "secret",
      "public-not/answers.csv": "secret",
      "public/.hidden": "",
      "public/images/1.png": "",
      "public/link": { link },
    });
    const { files, problems } = await publicFiles(dir);
    expect(problems).toEqual([{ file: "public/link", field: "", expected: "a file in public/", got }]);
    expect(files.map(({ name }) => name)).toEqual(["images/1.png"]);
  });

  it("may not be reached through a link that leads out", async () => {
    const dir = await createTestFolder({
      "private/answers.csv": "secret",
      "public/a": { link: "b" },
      "public/b": { link: "../private/answers.csv" },
    });
    const { files, problems } = await publicFiles(dir);
    expect(files).toEqual([]);
    expect(problems.map(({ file }) => file).toSorted()).toEqual(["public/a", "public/b"]);
  });

  it("may not be something other than a file, such as a named pipe, which never ends", async () => {
    const dir = await createTestFolder({ "public/a.csv": "" });
    await promisify(execFile)("mkfifo", [join(dir, "public/pipe")]);
    const { files, problems } = await publicFiles(dir);
    expect(files.map(({ name }) => name)).toEqual(["a.csv"]);
    expect(problems.map(({ file, got }) => [file, got])).toEqual([
      ["public/pipe", "something other than a file"],
    ]);
  });

  it("require public/ to be a folder, not a link", async () => {
    const dir = await createTestFolder({ public: "", "private/answers.csv": "secret" });
    expect((await publicFiles(dir)).problems.map(({ got }) => got)).toEqual(["a file"]);
    await rm(join(dir, "public"));
    await symlink("private", join(dir, "public"));
    const { files, problems } = await publicFiles(dir);
    expect(files).toEqual([]);
    expect(problems.map(({ file, got }) => [file, got])).toEqual([["public", "a link"]]);
  });

  it("are found when the challenge folder itself is a link", async () => {
    const dir = await createTestFolder({ "public/a.csv": "" });
    const parent = await createTestFolder({ linked: { link: dir } });
    const { files } = await publicFiles(join(parent, "linked"));
    expect(files.map(({ name }) => name)).toEqual(["a.csv"]);
  });

  it("get a new digest as soon as they change, even when size and date stay the same", async () => {
    const dir = await createTestFolder();
    await mkdir(join(dir, "public"));
    for (let i = 0; i < 20; i++) {
      await writeFile(join(dir, "public/a"), `${10 + i}`);
      await utimes(join(dir, "public/a"), 0, 0);
      const { files } = await publicFiles(dir);
      expect(files[0]?.sha256).toBe(sha256(`${10 + i}`));
    }
  });
});
