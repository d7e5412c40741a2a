import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestFile, inspectFile, textSource } from "./byte-source.ts";
import { fileError } from "./file-error.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-source-"));
  path = join(folder, "p.csv");
});
afterEach(() => rm(folder, { recursive: true }));
const code = (code: string) => expect.objectContaining({ code });
async function text(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}

describe("inspecting a file", () => {
  it("returns name and size, also through a link", async () => {
    await writeFile(path, "a,b\n");
    await symlink(path, join(folder, "link.csv"));
    expect(await inspectFile(path)).toMatchObject({ name: "p.csv", size: 4 });
    expect(await inspectFile(join(folder, "link.csv"))).toMatchObject({ name: "link.csv", size: 4 });
  });

  it("refuses a missing file, a folder, a pipe, a device and an empty file", async () => {
    await expect(inspectFile(path)).rejects.toEqual(code("file_missing"));
    await writeFile(path, "");
    await expect(inspectFile(path)).rejects.toEqual(code("file_empty"));
    await expect(inspectFile(join(path, "below"))).rejects.toEqual(code("file_missing"));
    await expect(inspectFile(folder)).rejects.toThrow("is a folder");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(inspectFile(join(folder, "pipe"))).rejects.toThrow("is a pipe");
    await expect(inspectFile("/dev/null")).rejects.toEqual(code("file_unreadable"));
    await symlink("loop", join(folder, "loop"));
    await expect(inspectFile(join(folder, "loop"))).rejects.toEqual(code("file_unreadable"));
  });

  it("turns system errors into typed errors", () => {
    const said = (reason: string) => fileError("p.csv", Object.assign(new Error("said"), { code: reason }));
    expect(said("EACCES")).toMatchObject({
      code: "file_unreadable",
      message: "You do not have permission to read p.csv.",
    });
    expect(said("ENOENT")).toMatchObject({ code: "file_missing" });
    expect(said("EIO")).toMatchObject({ code: "file_unreadable", details: { path: "p.csv", reason: "EIO" } });
  });
});

describe("reading a file", () => {
  it("returns its digest, and its bytes again in parts", async () => {
    await writeFile(path, "0123456789");
    const source = await digestFile(await inspectFile(path));
    expect(source).toMatchObject({
      size: 10,
      sha256: createHash("sha256").update("0123456789").digest("hex"),
    });
    expect(await text(source.read(0, 10))).toBe("0123456789");
    expect(await text(source.read(3, 4))).toBe("3456");
    await source.verify();
  });

  it.each([
    ["grows", () => appendFile(path, "more")],
    ["shrinks", () => truncate(path, 3)],
    ["is written to in place", () => writeFile(path, "9876543210")],
    [
      "is replaced",
      async () => {
        await writeFile(`${path}.new`, "0123456789");
        await rename(`${path}.new`, path);
      },
    ],
    ["is removed", () => rm(path)],
  ])("notices that it %s afterwards", async (_, change) => {
    await writeFile(path, "0123456789");
    await utimes(path, 1, 1);
    const source = await digestFile(await inspectFile(path));
    await change();
    await expect(source.verify()).rejects.toEqual(code("file_changed"));
  });

  it("notices a change between inspecting and reading", async () => {
    await writeFile(path, "0123456789");
    const facts = await inspectFile(path);
    await appendFile(path, "more");
    await expect(digestFile(facts)).rejects.toEqual(code("file_changed"));
  });

  it("notices that the file became shorter", async () => {
    await writeFile(path, "0123456789");
    const source = await digestFile(await inspectFile(path));
    await truncate(path, 5);
    await expect(text(source.read(0, 10))).rejects.toEqual(code("file_changed"));
  });

  it("stops when its signal is aborted", async () => {
    await writeFile(path, Buffer.alloc(5_000_000, 1));
    const stop = new AbortController();
    const reading = digestFile(await inspectFile(path), {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(reading).rejects.toEqual(code("interrupted"));
  });
});

it("measures a JSON text in bytes, not in characters", async () => {
  const source = textSource('["é"]');
  expect(source.size).toBe(6);
  expect(await text(source.read(0, 6))).toBe('["é"]');
});
