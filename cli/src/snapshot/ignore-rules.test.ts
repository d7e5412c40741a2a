import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { makeProject, type Project } from "../../test/project.ts";

let project: Project;
beforeEach(() => {
  project = makeProject();
  project.write("train.py", "print(1)\n");
  project.write("src/model.py", "x = 1\n");
  project.write("data/part.csv", "1\n");
  project.write("data/deep/more.csv", "1\n");
});
afterEach(() => project[Symbol.asyncDispose]());

const utf16 = (text: string) => Buffer.from(text, "utf16le");
const bigEndian = (text: string) => utf16(text).swap16();

describe.skipIf(missing("git"))("a snapshot is refused if its ignore rules", () => {
  it.each([
    ["are UTF-16 with a byte order mark", utf16("\ufeffdata/\r\n"), "UTF-16"],
    ["are UTF-16, big endian", bigEndian("\ufeffdata/\r\n"), "UTF-16"],
    ["are UTF-16 without a mark", utf16("data/\n"), "line 1 contains zero bytes"],
    [
      "end in UTF-16",
      Buffer.concat([Buffer.from("*.log\n"), utf16("data/\r\n")]),
      "line 2 contains zero bytes",
    ],
    ["end in UTF-8 with a mark", Buffer.from("*.log\n\ufeffdata/\n"), "line 2 contains a byte order mark"],
    ["are Latin-1", Buffer.from("# été\ndonn\xe9es/\n", "latin1"), "line 2 is not UTF-8"],
    ["have lines that end in CR alone", Buffer.from("*.log\rdata/\r"), "line 1 contains a control character"],
  ])("%s", async (_, bytes, problem) => {
    for (const path of [".gitignore", "data/.gitignore", "data/deep/.gitignore", ".git/info/exclude"]) {
      await using other = makeProject();
      other.write("data/deep/more.csv");
      const file = other.write(path, bytes);
      await expect(other.take()).rejects.toMatchObject({
        code: "ignore_rules_invalid",
        exitCode: 2,
        message: expect.stringContaining(`${file} cannot be parsed`),
      });
      await expect(other.take()).rejects.toThrow(problem);
    }
  });

  it("are above the submitted folder, in the user's own file, or in a nested repository", async () => {
    const file = join(project.home, "ignored");
    writeFileSync(join(project.home, ".gitconfig"), "[core]\n\texcludesFile = ~/ignored\n");
    writeFileSync(file, utf16("\ufeffdata/\r\n"));
    await expect(project.take()).rejects.toThrow(`${file} cannot be parsed`);
    writeFileSync(file, "*.tmp\n");
    project.write(".gitignore", utf16("data/\r\n"));
    await expect(project.take({ folder: join(project.folder, "src") })).rejects.toThrow("cannot be parsed");
    project.write(".gitignore", "");
    project.git("init", "-q", "nested");
    project.write("nested/a.py");
    project.write("nested/.gitignore", utf16("data/\r\n"));
    await expect(project.take()).rejects.toThrow(
      `${join(project.folder, "nested/.gitignore")} cannot be parsed`,
    );
  });

  it("are named in settings that git cannot parse", async () => {
    writeFileSync(join(project.home, ".gitconfig"), "[core\n\texcludesFile = ~/ignored\n");
    await expect(project.take()).rejects.toMatchObject({
      code: "ignore_rules_invalid",
      message: expect.stringContaining("bad config line 1"),
    });
  });

  it("apply to tracked files that git cannot list", async () => {
    project.git("add", "train.py");
    project.write(".git/index", "DIRC damaged");
    await expect(project.take()).rejects.toMatchObject({
      code: "file_unreadable",
      message: expect.stringContaining(join(project.folder, ".git/index")),
    });
  });
});

describe.skipIf(missing("git"))("a snapshot respects ignore rules", () => {
  const names = async () => (await project.take()).files.map(({ path }) => path);

  it("with a byte order mark, CRLF, tabs and comments in another encoding", async () => {
    const comment = Buffer.from("# \xe9t\xe9\r\n", "latin1");
    project.write(
      ".gitignore",
      Buffer.concat([Buffer.from("\ufeffdata/\r\n"), comment, Buffer.from("\t\r\n")]),
    );
    expect(await names()).toEqual([".gitignore", "src/model.py", "train.py"]);
  });

  it("in a folder that another rule ignores only as git does", async () => {
    project.write(".gitignore", "data/\n");
    project.write("data/.gitignore", utf16("*\n"));
    expect(await names()).toEqual([".gitignore", "src/model.py", "train.py"]);
  });

  it("of a relative core.excludesFile, and without regard to case if the repository says so", async () => {
    project.git("config", "core.excludesFile", "rules");
    project.git("config", "core.ignoreCase", "true");
    project.write("rules", "DATA/\n");
    expect(await names()).toEqual(["rules", "src/model.py", "train.py"]);
  });
});
