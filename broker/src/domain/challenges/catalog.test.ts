import { appendFile, chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { openCatalog } from "./catalog.ts";

let folder: string;
let challenges: string;
let dir: string;
let records: Records;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "crowdai-catalog-"));
  records = await openSqlite(join(home, "records.sqlite"));
});
afterAll(async () => {
  await records.close();
  await rm(home, { recursive: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(home, "folder-"));
  challenges = join(folder, "challenges");
  dir = join(challenges, "test");
  await writeChallenge(dir);
});
afterEach(() => rm(folder, { recursive: true }));

async function writeChallenge(dir: string): Promise<void> {
  await mkdir(join(dir, "public"), { recursive: true });
  await writeFile(join(dir, "evaluate"), "#!/bin/sh\n", { mode: 0o755 });
  await writeConfig(dir, "A test");
}
const writeConfig = (dir: string, title: string) =>
  writeFile(
    join(dir, "challenge.json"),
    JSON.stringify({
      id: "test",
      title,
      score: { title: "Score", order: "descending" },
      evaluator: { command: ["./evaluate"] },
    }),
  );

describe("a challenge that was refused is served again as soon as its problem is gone", () => {
  const secret = () => join(folder, "secret.csv");
  const data = () => join(dir, "public", "data.csv");
  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    [
      "a link that leads out of public/",
      async () => {
        await writeFile(secret(), "1");
        await symlink(secret(), data());
      },
      () => rm(data()),
    ],
    ["a link to a file that does not exist", () => symlink("later.csv", data()), () => rm(data())],
    [
      "a link in public/ whose target is added outside of it",
      () => symlink(join(folder, "outside"), data()),
      async () => {
        await rm(data());
        await writeFile(data(), "1");
      },
    ],
    [
      "a name that not every machine can store",
      () => writeFile(join(dir, "public", "aux.csv"), "1"),
      () => rename(join(dir, "public", "aux.csv"), data()),
    ],
    [
      "an evaluator without permission to run",
      () => chmod(join(dir, "evaluate"), 0o644),
      () => chmod(join(dir, "evaluate"), 0o755),
    ],
    [
      "public/ as a link",
      async () => {
        await rm(join(dir, "public"), { recursive: true });
        await symlink("/", join(dir, "public"));
      },
      async () => {
        await rm(join(dir, "public"));
        await mkdir(join(dir, "public"));
      },
    ],
  ])("%s", async (_, spoil, repair) => {
    await rename(dir, join(folder, "aside"));
    const catalog = await openCatalog(challenges, records);
    await rename(join(folder, "aside"), dir);
    await spoil();
    expect((await catalog.refresh()).mistakes).toHaveLength(1);
    expect(await catalog.refresh()).toEqual({ changed: [], mistakes: [], shadowed: [] });
    expect(catalog.all().size).toBe(0);
    await repair();
    expect(await catalog.refresh()).toEqual({ changed: ["test"], mistakes: [], shadowed: [] });
  });
});

describe("a change of a challenge is noticed", () => {
  it("in a challenge folder that is a link", async () => {
    await rename(dir, join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), dir);
    const catalog = await openCatalog(challenges, records);
    await writeConfig(join(folder, "elsewhere"), "Another title");
    expect((await catalog.refresh()).changed).toEqual(["test"]);
  });

  it("in a file of the same size whose date was set back", async () => {
    const path = join(dir, "evaluate");
    const date = new Date("2026-01-01");
    await utimes(path, date, date);
    const catalog = await openCatalog(challenges, records);
    await writeFile(path, "#!/bin/cp\n");
    await utimes(path, date, date);
    expect((await catalog.refresh()).changed).toEqual(["test"]);
  });

  it("in the target of a link to a file", async () => {
    const answers = join(folder, "answers.csv");
    await writeFile(answers, "1");
    await symlink(answers, join(dir, "answers.csv"));
    const catalog = await openCatalog(challenges, records);
    await appendFile(answers, "2");
    expect((await catalog.refresh()).changed).toEqual(["test"]);
  });
});
