import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { unpackArchive } from "@crowdai/shared/unpack-archive";
import { packTar } from "modern-tar";
import { describe, expect, it } from "vitest";
import { makeChallenge, temporaryFolder } from "../testing/challenge.ts";
import { runGrader } from "../testing/running-grader.ts";

const LIMITS = { maxFiles: 5, maxBytes: 1000 };
const never = new AbortController().signal;

/** Unpacks the bytes, and returns the text of each file. */
async function unpack(bytes: Uint8Array): Promise<Record<string, string>> {
  const dir = await temporaryFolder();
  await writeFile(join(dir, "archive"), bytes);
  const into = join(dir, "into");
  await unpackArchive(join(dir, "archive"), into, LIMITS, never);
  const found = await readdir(into, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(
      files.map(async (path) => [path.slice(into.length + 1), await readFile(path, "utf8")] as const),
    ),
  );
}

/** Makes a zip file with Python: entries by name, and a statement about `z`. */
async function zip(entries: Record<string, string>, statement = "pass"): Promise<Buffer> {
  const path = join(await temporaryFolder(), "made.zip");
  const script = `import json, sys, zipfile, stat
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for name, text in json.loads(sys.argv[2]).items(): z.writestr(name, text)
    ${statement}`;
  await promisify(execFile)("python3", ["-c", script, path, JSON.stringify(entries)]);
  return await readFile(path);
}

function tar(entries: Record<string, string>, more: Parameters<typeof packTar>[0] = []) {
  const files = Object.entries(entries).map(([name, body]) => ({
    header: { name, size: Buffer.byteLength(body) },
    body,
  }));
  return packTar([...files, ...more]);
}

const FILES = { "a.csv": "id,1\n", "images/b.txt": "b" };

describe("an archive", () => {
  it.each([
    ["zip", () => zip(FILES)],
    ["tar", () => tar(FILES)],
    ["tar.gz", async () => gzipSync(await tar(FILES))],
    [
      "tar of a folder",
      () =>
        tar({ "./a.csv": FILES["a.csv"], "./images/b.txt": "b" }, [
          { header: { name: "./", size: 0, type: "directory" } },
        ]),
    ],
  ])("is unpacked: %s", async (_, make) => {
    expect(await unpack(await make())).toEqual(FILES);
  });

  const link =
    "i = zipfile.ZipInfo('link'); i.create_system = 3; i.external_attr = (stat.S_IFLNK | 0o777) << 16; z.writestr(i, '/etc/passwd')";
  const many = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}`, "x"]));
  it.each([
    ["is not an archive", async () => Buffer.from("id,1\n"), "it is not a zip, tar or tar.gz file"],
    ["is empty", async () => Buffer.alloc(0), "it is not a zip"],
    ["is a damaged zip", async () => (await zip(FILES)).subarray(0, 60), "cannot be unpacked: "],
    ["is a damaged tar.gz", async () => gzipSync(await tar(FILES)).subarray(0, 60), "cannot be unpacked: "],
    ["leads out of the folder (zip)", () => zip({ "../a": "x" }), "cannot be unpacked: .*\\.\\./a"],
    ["leads out of the folder (tar)", () => tar({ "../a": "x" }), "the name"],
    ["leads out by detours", () => tar({ "b/../../a": "x" }), "the name"],
    ["has an absolute name", () => zip({ "/etc/cron.d/a": "x" }), "cannot be unpacked: "],
    ["contains a link (zip)", () => zip({}, link), "link or a device"],
    [
      "contains a link (tar)",
      () => tar({}, [{ header: { name: "l", size: 0, type: "symlink", linkname: "/etc" } }]),
      "link or a device",
    ],
    [
      "contains a hard link",
      () => tar({ a: "x" }, [{ header: { name: "l", size: 0, type: "link", linkname: "a" } }]),
      "link or a device",
    ],
    ["contains too many files", () => zip(many), "more than 5 files"],
    ["contains too many folders", () => zip({ "a/b/c/d/e": "x", "a/b/c/f/g": "x" }), "5 files and folders"],
    ["names a file twice (zip)", () => zip({ a: "x" }, "z.writestr('a', 'y')"), "EEXIST"],
    ["is a bomb (zip)", () => zip({ a: "0".repeat(100_000) }), "more than 1000 bytes"],
    [
      "is a bomb (tar.gz)",
      async () => gzipSync(await tar({ a: "0".repeat(100_000) })),
      "more than 1000 bytes",
    ],
    ["names a file twice", () => tar({ a: "x", "./a": "y" }), "EEXIST"],
    ["has a file inside a file", () => tar({ a: "x", "a/b": "y" }), "ENOTDIR|EEXIST"],
    [
      "is encrypted",
      async () => {
        const bytes = await zip({ a: "x" });
        // The flag of the entry, in its own header and in the directory.
        bytes[6]! |= 1;
        bytes[bytes.indexOf("PK\u0001\u0002") + 8]! |= 1;
        return bytes;
      },
      "cannot be unpacked: .*encrypted",
    ],
  ])("is refused as the participant's when it %s", async (_, make, message) => {
    await expect(unpack(await make())).rejects.toMatchObject({
      code: "archive_invalid",
      message: expect.stringMatching(message),
    });
  });

  it.skipIf(!existsSync("/proc/self/fd"))("leaves no file open when it is refused", async () => {
    const archives = [
      await zip(many),
      await zip({ a: "x" }, "z.writestr('a', 'y')"),
      await zip({ a: "0".repeat(100_000) }),
    ];
    const openArchives = async () => {
      const links = (await readdir("/proc/self/fd")).map((fd) =>
        readlink(`/proc/self/fd/${fd}`).catch(() => ""),
      );
      return (await Promise.all(links)).filter((path) => path.endsWith("/archive"));
    };
    for (const bytes of archives) await expect(unpack(bytes)).rejects.toThrow("cannot be unpacked");
    await expect.poll(openArchives).toEqual([]);
  });

  it("reaches an evaluator class as submission_dir_path, and a bad one fails without it", async () => {
    const folder = await makeChallenge(
      { python_class: "evaluator.py:Evaluator" },
      {
        "evaluator.py": `
import os
class Evaluator:
    def _evaluate(self, client_payload):
        folder = client_payload["submission_dir_path"]
        return {"score": 1, "files": sorted(os.listdir(folder)), "text": open(os.path.join(folder, "a.csv")).read()}`,
      },
      "iris",
      { accepts: { file: { unpack: true } } },
    );
    const { publish, report, store } = await runGrader([folder]);
    const good = await publish({ input: await store("s.zip", await zip(FILES)) });
    expect(await report(good, "finished")).toMatchObject({
      outcome: { ok: true, data: { files: ["a.csv", "images"], text: "id,1\n" } },
    });
    const bad = await publish({ input: await store("s.zip", "no archive") });
    expect(await report(bad, "finished")).toMatchObject({
      delivery: 1,
      outcome: { ok: false, code: "archive_invalid" },
    });
  });
});
