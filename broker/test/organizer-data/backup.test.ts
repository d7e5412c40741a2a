import { createHash } from "node:crypto";
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId, type Profile } from "@crowdai/shared";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createBroker, readConfig } from "../../src/index.ts";
import { type Ran, runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";

let test: TestBroker;
let board: unknown;
let file: string;
beforeAll(async () => {
  test = await startBroker();
  const client = await test.connect();
  await graded(client, 0.5);
  await graded(await test.connect({ key: await test.addParticipant("bo") }), 0.75);
  file = await uploaded(client, "0.25");
  const image = sharp({ create: { width: 30, height: 20, channels: 3, background: "#f00" } });
  await test.fetch("/api/v1/profile", { method: "PATCH", body: { name: "Ada Lovelace" } });
  await fetch(`${test.broker.url}/api/v1/profile/picture`, {
    method: "PUT",
    headers: { authorization: `Bearer ${test.key}` },
    body: new Uint8Array(await image.png().toBuffer()),
  });
  board = await (await test.fetch("/api/v1/challenges/test/leaderboard")).json();
});
afterAll(() => test.close());

async function graded(client: TestClient, score: number): Promise<string> {
  const id = createSubmissionId();
  await client.submit({ id, input: { kind: "inline", data: { score } } });
  await untilEnd(client, id);
  return id;
}

async function uploaded(client: TestClient, text: string): Promise<string> {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const { submission, upload } = await client.submit({
    input: { kind: "file", name: "p.csv", size: text.length, sha256 },
  });
  await fetch(upload?.parts[0]?.url as string, { method: "PUT", body: text });
  await client.ask("complete", { id: submission.id });
  await untilEnd(client, submission.id);
  return submission.id;
}

const run = (...args: string[]): Promise<Ran> => runCommand(test.folder, args);
const path = (...names: string[]) => join(test.folder, ...names);
const backUp = (folder: string) => run("backup", folder, "--data", "data");
const names = (folder: string) => readdir(path(folder)).catch(() => []);

it("restores a running broker's data elsewhere, with boards, files and keys", async () => {
  const stored = [...(await readdir(path("data", "objects", "stored"), { recursive: true }))].filter((name) =>
    name.endsWith("@bytes"),
  );
  const made = await backUp("backup");
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(`${stored.length} objects`) });
  expect((await stat(path("backup"))).mode & 0o77).toBe(0);
  expect(await run("restore", "backup", "--data", "new/data")).toMatchObject({
    code: 0,
    stdout: made.stdout,
  });
  expect(await names("new")).toEqual(["data"]);
  const config = readConfig(
    { port: 0, data: "new/data", challenges: "challenges" },
    { LOG_LEVEL: "silent" },
    test.folder,
  );
  const broker = await createBroker({ config, log: pino({ level: "silent" }) });
  try {
    const get = (route: string) =>
      fetch(`${broker.url}/api/v1${route}`, { headers: { authorization: `Bearer ${test.key}` } });
    expect(await (await get("/challenges/test/leaderboard")).json()).toMatchObject({
      rows: (board as { rows: { submission: string; score: number; rank: number }[] }).rows.map(
        ({ submission, score, rank }) => ({ submission, score, rank }),
      ),
    });
    expect((await get(`/submissions/${file}`)).status).toBe(200);
    const profile = (await (await get("/profile")).json()) as Profile;
    expect(profile.name).toBe("Ada Lovelace");
    expect((await fetch(profile.picture as string)).status).toBe(200);
  } finally {
    await broker.stop();
  }
  await run("challenge", "export", "test", "--data", "new/data", "--files", "--output", "out");
  expect(await readFile(path("out", "files", file, "0-p.csv"), "utf8")).toBe("0.25");
  const objects = await readdir(path("new", "data", "objects", "stored"), { recursive: true });
  expect(objects.filter((name) => name.endsWith("@bytes")).sort()).toEqual(stored.sort());
  expect(await readFile(path("new", "data", "secret"))).toEqual(await readFile(path("data", "secret")));
});

it("restores nothing of half a backup, a changed one, and one of a newer version", async () => {
  await backUp("whole");
  const [list] = (await readFile(path("whole", "objects.ndjson"), "utf8")).split("\n");
  const { sha256 } = JSON.parse(list as string);
  const manifest = JSON.parse(await readFile(path("whole", "manifest.json"), "utf8"));
  const rewrite = (changes: object) => (folder: string) =>
    writeFile(join(folder, "manifest.json"), JSON.stringify({ ...manifest, ...changes }));
  const damages: [RegExp, (folder: string) => Promise<void>][] = [
    [
      /has no manifest\.json: it is not a backup, or one that was not completed/,
      (at) => rm(join(at, "manifest.json")),
    ],
    [/objects\/\S+ is missing/, (at) => rm(join(at, "objects", sha256.slice(0, 2), sha256))],
    [
      /has changed since it was made: objects\//,
      (at) => appendFile(join(at, "objects", sha256.slice(0, 2), sha256), "x"),
    ],
    [/has changed since it was made: records\.sqlite/, (at) => appendFile(join(at, "records.sqlite"), "x")],
    [
      /newer version of the broker \(0\.9\.0\)/,
      rewrite({ version: "0.9.0", records: { ...manifest.records, migrations: ["999-later"] } }),
    ],
    [/newer version of the broker/, rewrite({ schema_version: 2 })],
    [/is damaged/, rewrite({ objects: null })],
  ];
  for (const [reason, damage] of damages) {
    await cp(path("whole"), path("damaged"), { recursive: true });
    await damage(path("damaged"));
    const refused = await run("restore", "damaged", "--data", "nothing");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(reason) });
    expect(refused.stderr).toContain("backup_invalid");
    await rm(path("damaged"), { recursive: true });
  }
  expect((await names(".")).filter((name) => name.includes("nothing"))).toEqual([]);
});

it("restores to no folder that a broker uses or that has files, and no backup of another database", async () => {
  await backUp("good");
  expect(await run("restore", "good", "--data", "data")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("error[data_in_use]"),
  });
  await mkdir(path("mine"));
  await writeFile(path("mine", "file"), "");
  expect((await run("restore", "good", "--data", "mine")).stderr).toContain("mine is not empty");
  expect(await names("mine")).toEqual(["file"]);
  const other = await runCommand(test.folder, ["restore", "good", "--data", "pg"], {
    env: { DATABASE_URL: "postgres://me:secret@127.0.0.1:1/x" },
  });
  expect(other.stderr).toContain("has the records of SQLite");
  expect(other.stderr).not.toContain("secret@");
});

it("backs up to an empty folder only, and leaves nothing of a backup that failed", async () => {
  expect((await backUp("challenges")).stderr).toContain("challenges is not empty");
  expect((await run("backup", "none", "--data", "absent")).stderr).toContain("There are no records at");
  expect(await names("none")).toEqual([]);
  const stored = path("data", "objects", "stored");
  const bytes = (await readdir(stored, { recursive: true })).find((name) =>
    name.endsWith("@bytes"),
  ) as string;
  const before = await readFile(join(stored, bytes));
  await writeFile(join(stored, bytes), Buffer.alloc(before.length, 1));
  const damaged = await backUp("failed");
  await writeFile(join(stored, bytes), before);
  expect(damaged.stderr).toContain("is damaged: its digest differs");
  expect(await names("failed")).toEqual([]);
});
