import { existsSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openJournalFiles } from "./journal-files.ts";
import { entryOf, step } from "./step-channel.contract.ts";
import { openFilesBelow } from "./testing/open-files.ts";

const DAY_MS = 24 * 3600 * 1000;
const first = entryOf(step(1, "ü"));
const second = entryOf(step(2, "short"));
const third = entryOf(step(3, "long".repeat(20)));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-journals-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});
const textOf = (entries: readonly unknown[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
const written = (name: string) => readFile(join(folder, name), "utf8");

it("writes a line for each entry, and takes each off the list", async () => {
  const journal = await (await openJournalFiles(folder)).open("s");
  const entries = [first, second];
  journal.append(entries);
  expect(entries).toEqual([]);
  journal.append([]);
  journal.append([third]);
  journal.close();
  expect(await written("s.ndjson")).toBe(textOf([first, second, third]));
});

it("writes what is left of a line that the system has written in part", async () => {
  const journals = await openJournalFiles(folder, (file, line, offset, length, position) =>
    writeSync(file, line, offset, Math.min(length, 7), position),
  );
  const journal = await journals.open("s");
  journal.append([first]);
  journal.append([second]);
  journal.close();
  expect(await written("s.ndjson")).toBe(textOf([first, second]));
});

it("names the file that cannot be written, and writes over the part of a line that is there", async () => {
  let left = 60;
  const journals = await openJournalFiles(folder, (file, line, offset, length, position) => {
    if (left === 0)
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), {
        ...{ code: "ENOSPC", syscall: "write" },
      });
    const bytes = Math.min(length, left, 50);
    left -= bytes;
    return writeSync(file, line, offset, bytes, position);
  });
  const journal = await journals.open("s");
  const entries = [third, second];
  const path = join(folder, "s.ndjson");
  expect(() => journal.append(entries)).toThrow(
    expect.objectContaining({ code: "data_unusable", details: { path, code: "ENOSPC" } }),
  );
  expect([entries.length, (await written("s.ndjson")).length > 0]).toEqual([2, true]);
  expect(await journals.read("s")).toEqual([]);
  left = 10_000;
  journal.append(entries);
  journal.close();
  expect(await written("s.ndjson")).toBe(textOf([third, second]));
});

it("throws an error of another kind as it is", async () => {
  const broken = new Error("broken");
  const journals = await openJournalFiles(folder, () => {
    throw broken;
  });
  const journal = await journals.open("s");
  expect(() => journal.append([first])).toThrow(broken);
  journal.close();
});

it("removes a damaged line, and all that follows it, before it writes", async () => {
  await writeFile(join(folder, "s.ndjson"), `${textOf([first])}{"type":\n${textOf([second, third])}`);
  const journals = await openJournalFiles(folder);
  expect(await journals.read("s")).toEqual([first]);
  const journal = await journals.open("s");
  journal.append([third]);
  journal.close();
  expect(await written("s.ndjson")).toBe(textOf([first, third]));
});

it("names the file of a journal that cannot be read or opened", async () => {
  const journals = await openJournalFiles(folder);
  const path = join(folder, "s.ndjson");
  await mkdir(path);
  const unreadable = { code: "data_unusable", details: { path, code: "EISDIR" } };
  await expect(journals.read("s")).rejects.toMatchObject(unreadable);
  await expect(journals.open("s")).rejects.toMatchObject(unreadable);
  await symlink("elsewhere", join(folder, "t.ndjson"));
  await expect(journals.open("t")).rejects.toMatchObject({
    code: "data_unusable",
    details: { path: join(folder, "t.ndjson") },
  });
  expect((await readdir(folder)).sort()).toEqual(["s.ndjson", "t.ndjson"]);
});

it("names files for their sessions, where the name is plain and short", async () => {
  const journals = await openJournalFiles(folder);
  const names = ["0198a2-b_C", "x".repeat(100)];
  for (const name of [...names, "y".repeat(101), "a.b", "a b", "b c/"]) (await journals.open(name)).close();
  const files = (await readdir(folder)).sort();
  expect(files).toEqual(expect.arrayContaining(names.map((name) => `${name}.ndjson`)));
  expect(files.filter((name) => /^~[0-9a-f]{64}\.ndjson$/.test(name))).toHaveLength(4);
});

it("removes at its start what was last written more than a week ago, where that is possible", async () => {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const ages = { "old.ndjson": 7 * DAY_MS + 1000, "week.ndjson": 7 * DAY_MS, "other.txt": 99 * DAY_MS };
  for (const [name, ageMs] of Object.entries(ages)) {
    await writeFile(join(folder, name), "");
    await utimes(join(folder, name), (now - ageMs) / 1000, (now - ageMs) / 1000);
  }
  await mkdir(join(folder, "folder.ndjson"));
  await utimes(join(folder, "folder.ndjson"), 1, 1);
  await symlink("nowhere", join(folder, "broken.ndjson"));
  vi.useFakeTimers({ toFake: ["Date"], now });
  await openJournalFiles(folder);
  expect((await readdir(folder)).sort()).toEqual([
    "broken.ndjson",
    "folder.ndjson",
    "other.txt",
    "week.ndjson",
  ]);
});

it("removes the journal of a session, and asks for none", async () => {
  const journals = await openJournalFiles(folder);
  (await journals.open("s")).close();
  await journals.remove("s");
  await journals.remove("never seen");
  expect(await readdir(folder)).toEqual([]);
});

it.skipIf(!existsSync("/proc/self/fd"))("leaves no file open when it is closed", async () => {
  const journal = await (await openJournalFiles(folder)).open("s");
  expect(openFilesBelow(folder)).toHaveLength(1);
  journal.close();
  expect(openFilesBelow(folder)).toEqual([]);
});
