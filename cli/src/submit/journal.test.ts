import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { submissionsOfEarlierContent, unfinishedId } from "./journal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-unfinished-"));
});
afterEach(() => rm(folder, { recursive: true }));
const what = ["http://broker", "iris", null, null, "digest"];
const note = async () => join(folder, "unfinished", (await readdir(join(folder, "unfinished")))[0]!);

it("goes on with the id of a run that broke, for exactly the same submission", () => {
  const first = unfinishedId(folder, what);
  expect(first.resumed).toBe(false);
  expect(unfinishedId(folder, what)).toMatchObject({ id: first.id, resumed: true });
  expect(unfinishedId(folder, [...what.slice(0, 4), "other"]).resumed).toBe(false);
});

it("makes a new id once the submission is accepted", () => {
  const first = unfinishedId(folder, what);
  first.forget();
  const second = unfinishedId(folder, what);
  expect(second.resumed).toBe(false);
  expect(second.id).not.toBe(first.id);
});

it("makes a new id while another command is at it, and does not forget for that one", async () => {
  const first = unfinishedId(folder, what);
  const path = await note();
  // The process that started this one is alive for sure.
  const running = JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), pid: process.ppid });
  await writeFile(path, running);
  const second = unfinishedId(folder, what);
  expect(second.id).not.toBe(first.id);
  second.forget();
  expect(await readFile(path, "utf8")).toBe(running);
});

it("makes a new id after a week, and where the note is broken", async () => {
  const first = unfinishedId(folder, what);
  const path = await note();
  await writeFile(
    path,
    JSON.stringify({ id: first.id, pid: process.pid, at: Date.now() - 8 * 24 * 3600 * 1000 }),
  );
  expect(unfinishedId(folder, what).resumed).toBe(false);
  await writeFile(
    path,
    JSON.stringify({ id: first.id, pid: process.pid, at: Date.now() - 6 * 24 * 3600 * 1000 }),
  );
  expect(unfinishedId(folder, what)).toMatchObject({ id: first.id, resumed: true });
  await writeFile(path, "{");
  expect(unfinishedId(folder, what).resumed).toBe(false);
});

it("finds what was left off of the same file with other bytes in it, and nothing else", () => {
  const file = (path: string, sha256: string) => ({ of: ["http://broker", "iris", path], sha256 });
  const left = unfinishedId(folder, [...what, "1"], file("/p.csv", "old"));
  unfinishedId(folder, [...what, "2"], file("/p.csv", "new"));
  unfinishedId(folder, [...what, "3"], file("/q.csv", "old"));
  unfinishedId(folder, [...what, "4"]);
  const found = submissionsOfEarlierContent(folder, file("/p.csv", "new"));
  expect(found.map(({ id }) => id)).toEqual([left.id]);
  found[0]!.forget();
  expect(submissionsOfEarlierContent(folder, file("/p.csv", "new"))).toEqual([]);
  expect(submissionsOfEarlierContent(join(folder, "none"), file("/p.csv", "new"))).toEqual([]);
});

it("needs no folder that it can write to", async () => {
  const file = join(folder, "a-file");
  await writeFile(file, "");
  const { id, forget } = unfinishedId(file, what);
  expect(id).toMatch(/^\w{16}$/);
  forget();
});

it("keeps its note to itself", async () => {
  unfinishedId(folder, what);
  await chmod(folder, 0o755);
  expect((await stat(await note())).mode & 0o777).toBe(0o600);
});
