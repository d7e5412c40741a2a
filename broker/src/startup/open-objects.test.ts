import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openObjects } from "./open-objects.ts";

let dataFolder: string;
beforeEach(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), "crowdai-data-"));
});
afterEach(() => rm(dataFolder, { recursive: true }));

const open = () => openObjects({ s3: null, dataFolder }, () => "http://localhost");

describe("the key that signs addresses", () => {
  it("is made once, whole, and readable by its owner only", async () => {
    await open();
    const file = join(dataFolder, "secret");
    const first = await readFile(file);
    expect(first).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await open();
    expect(await readFile(file)).toEqual(first);
  });

  it.each([
    ...[0, 1, 31, 33].map((length) => [`has ${length} bytes`, randomBytes(length)] as const),
    ["has 32 bytes that a power failure left empty", Buffer.alloc(32)] as const,
  ])("is refused if its file %s, because anyone could forge such a signature", async (_, bytes) => {
    await writeFile(join(dataFolder, "secret"), bytes);
    await expect(open()).rejects.toMatchObject({ code: "config_invalid", message: /secret has / });
  });

  it.each([
    ["a folder", (file: string) => mkdir(file)],
    ["a pipe", (file: string) => promisify(execFile)("mkfifo", [file])],
  ])("is refused if %s is in its place", async (_, make) => {
    await make(join(dataFolder, "secret"));
    await expect(open()).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining("is not a regular file"),
    });
  });

  it("is made private if others could read it", async () => {
    await open();
    const file = join(dataFolder, "secret");
    await chmod(file, 0o644);
    await open();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
