import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { publicChallenge } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { startScriptedBroker } from "../../test/scripted-broker.ts";

const TTY = { stdin: true, stdout: true, stderr: true };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());
const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(["init", ...args], { cwd: folder.path, ...options });
const file = () => join(folder.path, "crowdai.json");
const written = async () => JSON.parse(await readFile(file(), "utf8"));

test("writes crowdai.json from the flags, and the other commands read it", async () => {
  const { code, stdout, stderr } = await run([
    "-c",
    "iris",
    "--author",
    "Ada",
    "--author",
    "Bob",
    "--description",
    "Trees",
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${file()}\n` });
  expect(stderr).toContain("next: crowdai challenge");
  expect(await written()).toEqual({ challenge_id: "iris", authors: ["Ada", "Bob"], description: "Trees" });
  const config = await runCli(["config", "get", "challenge"], { cwd: folder.path });
  expect(config.stdout).toBe(`challenge\tiris\t${file()}\n`);
});

test("a broker named on the way is kept with the folder", async () => {
  await run(["-c", "iris", "--broker", "https://crowdai.example/"]);
  expect(await written()).toMatchObject({ broker: "https://crowdai.example" });
});

test("an existing crowdai.json is kept without --force, even a broken one is replaced with it", async () => {
  await writeFile(file(), "broken");
  const refused = await run(["-c", "iris"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("--force");
  expect(await readFile(file(), "utf8")).toBe("broken");
  expect((await run(["-c", "iris", "--force"])).code).toBe(0);
  expect(await written()).toMatchObject({ challenge_id: "iris" });
});

test("without a terminal and without a challenge the error names the flag", async () => {
  for (const tty of [{}, TTY]) {
    const { code, stderr } = await run([], { tty, env: { CI: "1" } });
    expect(code).toBe(2);
    expect(stderr).toContain("error[challenge_missing]");
    expect(stderr).toContain("--challenge");
  }
  expect(await readdir(folder.path)).toEqual([]);
});

test("on a terminal the challenge is chosen from the broker's", async () => {
  const challenges = [publicChallenge({ id: "digits", title: "Digits" }), publicChallenge()];
  await using broker = await startScriptedBroker({ "/api/v1/challenges": { json: { challenges } } });
  const env = { CROWDAI_BROKER: broker.url };
  // Down and Enter: the second challenge; then the authors; then no description.
  const { code, stderr } = await run([], { tty: TTY, env, keys: ["\u001b[B", "\r", "Ada, Bob", "\r", "\r"] });
  expect(code, stderr).toBe(0);
  expect(await written()).toMatchObject({ challenge_id: "iris", authors: ["Ada", "Bob"], description: "" });
});

test("Ctrl+C at a question writes nothing", async () => {
  const env = { CROWDAI_BROKER: "http://127.0.0.1:1" };
  const { code } = await run([], { tty: TTY, env, keys: ["iris", "\u0003"] });
  expect(code).toBe(130);
  expect(await readdir(folder.path)).toEqual([]);
});

test("a file that cannot be written is a clear error", async () => {
  await mkdir(join(file(), "in the way"), { recursive: true });
  const { code, stderr } = await run(["-c", "iris", "--force"]);
  expect(code).toBe(2);
  expect(stderr).toContain("error[file_unwritable]");
  expect(await readdir(folder.path)).toEqual(["crowdai.json"]);
});
