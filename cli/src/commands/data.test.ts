import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publicChallenge } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker();
  offer({ "train.csv": "a,b\n1,2\n", "images/one.txt": "one" });
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], tty = {}) =>
  runCli(["data", ...args], { cwd: folder.path, tty, env: { CROWDAI_BROKER: broker.url } });
const here = (...path: string[]) => join(folder.path, ...path);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function offer(files: Record<string, string>, id = "iris"): void {
  const data = Object.entries(files).map(([name, text]) => ({
    name,
    size: text.length,
    sha256: sha256(text),
    url: `/api/v1/challenges/iris/data/${encodeURIComponent(name)}`,
  }));
  broker.routes["/api/v1/challenges/iris"] = { json: publicChallenge({ id, data }) };
  for (const [name, bytes] of Object.entries(files))
    broker.routes[`/api/v1/challenges/iris/data/${name}`] = { bytes };
}

test("downloads into a folder named like the challenge, and keeps what is already there", async () => {
  const first = await run(["iris", "--format", "json"]);
  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({
    schema_version: 1,
    challenge: "iris",
    folder: here("iris"),
    files: [
      { name: "train.csv", path: here("iris", "train.csv"), status: "downloaded" },
      { name: "images/one.txt", path: here("iris", "images", "one.txt"), status: "downloaded" },
    ],
  });
  expect(await readFile(here("iris", "images", "one.txt"), "utf8")).toBe("one");
  expect((await readdir(here("iris"))).sort()).toEqual(["images", "train.csv"]);

  const before = await stat(here("iris", "train.csv"));
  const asked = broker.received.length;
  const second = await run(["iris"]);
  expect(second.stdout).toBe(
    `${here("iris", "train.csv")}\t8\tkept\n${here("iris", "images", "one.txt")}\t3\tkept\n`,
  );
  expect(broker.received.length).toBe(asked + 1);
  expect((await stat(here("iris", "train.csv"))).mtimeMs).toBe(before.mtimeMs);
});

test("--dir names another folder, and --quiet prints the paths", async () => {
  const { stdout } = await run(["iris", "--dir", "input", "--quiet"]);
  expect(stdout).toBe(`${here("input", "train.csv")}\n${here("input", "images", "one.txt")}\n`);
});

test("an existing file that differs is not replaced without --force, and nothing else is written", async () => {
  await mkdir(here("iris"));
  await writeFile(here("iris", "train.csv"), "mine");
  const refused = await run(["iris"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("train.csv");
  expect(refused.stderr).toContain("--force");
  expect(await readdir(here("iris"))).toEqual(["train.csv"]);
  expect(await readFile(here("iris", "train.csv"), "utf8")).toBe("mine");

  expect((await run(["iris", "--force"])).code).toBe(0);
  expect(await readFile(here("iris", "train.csv"), "utf8")).toBe("a,b\n1,2\n");
});

test("bytes with another digest are refused, and no partial file remains", async () => {
  broker.routes["/api/v1/challenges/iris/data/train.csv"] = { bytes: "a,b\n9,9\n" };
  const { code, stderr } = await run(["iris"]);
  expect(code).toBe(4);
  expect(stderr).toContain("error[digest_mismatch]");
  expect(await readdir(here("iris"))).toEqual([]);
});

test.each([
  "../out.txt",
  "/etc/cron.d/x",
  "a/../../out.txt",
  "a//b",
  "a\\..\\b",
  "C:x",
  "nul.txt",
  ".git/config",
  "x/.gitattributes",
  "new\nline",
  "nothing\u0000",
  "ends.",
  "long".repeat(100),
  "",
  "public/aux.csv",
  "FINE.csv",
  ".npmrc",
  ".envrc",
  "a/.vscode/tasks.json",
  "node_modules/.bin/ls",
  "Node_Modules/x/index.js",
  "\u200b.bashrc",
  "\uff0enpmrc",
  "crowdai.json",
  "kit/Package.json",
  "vite.config.mjs",
  "conftest.py",
  "jupyter_server_config.py",
  "ipython_config.py",
  "babel.config.json",
  "setup.py",
  "Cargo.toml",
  "startup.m",
  "Makefile",
  "NPMRC~1",
])("an unsafe file name (%j) is named and left out, and the others are downloaded", async (name) => {
  offer({ "fine.csv": "fine", [name]: "bad" });
  const { code, stdout, stderr } = await run(["iris", "--dir", "in/side", "--format", "json"]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toContain("is left out: ");
  expect(JSON.parse(stdout)).toMatchObject({ left_out: [{ name, reason: expect.stringMatching(/^\w+ /) }] });
  const written = await readdir(folder.path, { recursive: true });
  expect(written.sort()).toEqual(["in", "in/side", "in/side/fine.csv"]);
});

test.each(["node_modules", ".vscode"])("the id of a challenge cannot be the folder %s", async (id) => {
  offer({ "tasks.json": "bad" }, id);
  expect((await run(["iris"])).code).toBe(2);
  expect(await readdir(folder.path)).toEqual([]);
});

test("files that are only data or programs to start by hand are downloaded", async () => {
  const names = ["a.b/train.csv", "baseline.py", "environment/notes.md", "model.pth", "requirements.txt"];
  offer(Object.fromEntries(names.map((name) => [name, "fine"])));
  const { stdout } = await run(["iris", "--format", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({ files: names.map((name) => ({ name })), left_out: [] });
});

test("the id of a challenge cannot lead out of the folder either", async () => {
  offer({ "a.txt": "a" }, "../elsewhere");
  const { code, stderr } = await run(["iris"]);
  expect(code).toBe(2);
  expect(stderr).toContain("cannot name a folder");
});

test("a folder that is not writable is a clear error", async () => {
  await writeFile(here("taken"), "a file");
  const { code, stderr } = await run(["iris", "--dir", "taken/below"]);
  expect(code).toBe(2);
  expect(stderr).toContain("error[file_un");
});

test("a challenge without data is not an error", async () => {
  offer({});
  expect(await run(["iris"])).toMatchObject({ code: 0, stdout: "", stderr: "Iris has no public data.\n" });
});
