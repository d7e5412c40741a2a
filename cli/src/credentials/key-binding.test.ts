import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { publicChallenge } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";
import { isTrustedBroker } from "../config/trusted-broker.ts";

const KEY = createApiKey();
const TERMINAL = { stdin: true, stdout: true, stderr: true };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker({
    "/api/v1/me": { json: { participant: { id: 7, name: "ada" }, agreed: true } },
    "/api/v1/challenges/iris": { json: publicChallenge({ id: "iris", data: [] }) },
  });
  await writeFile(join(folder.path, "crowdai.json"), JSON.stringify({ broker: broker.url }));
  await writeFile(join(folder.path, "predictions.csv"), "1\n");
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(args, { cwd: folder.path, ...options, env: { CROWDAI_API_KEY: KEY, ...options.env } });
const keysSent = () => broker.received.map(({ key }) => key).filter((key) => key !== null);

describe("the key in CROWDAI_API_KEY, where only crowdai.json names the broker,", () => {
  test.each([
    ["whoami"],
    ["submit", "predictions.csv", "-c", "iris"],
    ["evaluate", "--json", "1", "-c", "iris"],
    ["data", "iris"],
    ["challenges"],
    ["leaderboard", "iris"],
    ["submissions"],
    ["doctor"],
    ["clone", "7h3k9m2p4q6r8s1t"],
    ["run", "node", "agent.js", "-c", "iris"],
    ["replay", "7h3k9m2p4q6r8s1t"],
  ])("is not sent by `%s`, which exits with 3 and prints the line to add", async (...args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, sent: keysSent() }).toEqual({ code: 3, sent: [] });
    expect(stdout + stderr).toContain(join(folder.path, "crowdai.json"));
    expect(stdout + stderr).toContain(`export CROWDAI_API_KEY_FOR=${broker.url}`);
  });

  test.each([
    ["--broker", () => ({ args: ["--broker", broker.url] })],
    ["CROWDAI_BROKER", () => ({ env: { CROWDAI_BROKER: broker.url } })],
    ["CROWDAI_API_KEY_FOR", () => ({ env: { CROWDAI_API_KEY_FOR: `https://a.example, ${broker.url}/` } })],
    [
      "a bare host in CROWDAI_API_KEY_FOR",
      () => ({ env: { CROWDAI_API_KEY_FOR: new URL(broker.url).host } }),
    ],
  ])("is sent if %s names the broker too", async (_, make) => {
    const { args = [], env } = make() as { args?: string[]; env?: Record<string, string> };
    expect(await run(["whoami", ...args], { env })).toMatchObject({ code: 0, stdout: "ada\n" });
    expect(keysSent()).toEqual([KEY]);
  });

  test("is sent if the user settings name the same broker", async () => {
    await mkdir(join(folder.path, "user"));
    await writeFile(join(folder.path, "user", "config.json"), JSON.stringify({ broker: `${broker.url}/` }));
    expect((await run(["whoami"])).code).toBe(0);
  });

  test("is not sent if CROWDAI_API_KEY_FOR names another broker", async () => {
    const env = { CROWDAI_API_KEY_FOR: "http://127.0.0.1:1 nonsense:// crowdai.example" };
    expect((await run(["whoami"], { env })).code).toBe(3);
    expect(keysSent()).toEqual([]);
  });

  test("gives way to a key that is stored for the broker", async () => {
    const stored = createApiKey();
    const login = ["login", "--with-token", "--broker", broker.url];
    expect((await run(login, { stdin: stored })).code).toBe(0);
    expect((await run(["whoami"])).code).toBe(0);
    expect(keysSent()).toEqual([stored, stored]);
  });

  test("is sent once a person at a terminal has confirmed the broker, until logout", async () => {
    const declined = await run(["whoami"], { tty: TERMINAL, keys: ["n"] });
    expect(declined).toMatchObject({ code: 3, stderr: expect.stringContaining(broker.url) });
    expect(keysSent()).toEqual([]);
    expect((await run(["whoami"], { tty: TERMINAL, keys: ["y"] })).code).toBe(0);
    expect((await run(["whoami"])).code).toBe(0);
    expect(keysSent()).toEqual([KEY, KEY]);
    const settings = JSON.parse(await readFile(join(folder.path, "user", "config.json"), "utf8"));
    expect(settings).toEqual({ trusted_brokers: [broker.url] });
    await run(["logout"]);
    expect((await run(["whoami"])).code).toBe(3);
  });

  test("is listed by `config` as not for this broker", async () => {
    const { stdout } = await run(["config", "get", "key", "--format", "json"]);
    expect(JSON.parse(stdout).settings.key.source).toBe("CROWDAI_API_KEY (not for this broker)");
  });
});

test("a key on standard input is not sent to a broker that only crowdai.json names", async () => {
  const login = await run(["login", "--with-token"], { stdin: KEY, env: { CROWDAI_API_KEY: undefined } });
  expect(login).toMatchObject({ code: 3, stderr: expect.stringContaining("key_unbound") });
  expect(login.stderr).toContain(`crowdai login --with-token --broker '${broker.url}'`);
  expect(broker.received).toEqual([]);
});

test.each([
  ["from the environment", "{}"],
  ["of the program", `{ apiKey: "${KEY}" }`],
])("the library does not send a key %s to a broker that only crowdai.json names", async (_, options) => {
  const index = new URL("../index.ts", import.meta.url).href;
  const file = join(folder.path, "script.mjs");
  await writeFile(
    file,
    `const { Challenge } = await import(${JSON.stringify(index)});
     await Challenge.open("iris", ${options}).catch((error) => console.log(error.code, error.exitCode));`,
  );
  const child = spawn(process.execPath, [file], {
    cwd: folder.path,
    env: { PATH: process.env.PATH, HOME: folder.path, CROWDAI_API_KEY: KEY },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  await once(child, "close");
  expect(out).toBe("key_unbound 3\n");
  expect(keysSent()).toEqual([]);
});

test.each([
  ["https://a.example", "https://a.example/crowdai", true],
  ["https://a.example", "a.example", true],
  ["http://a.example", "a.example", false],
  ["http://a.example", "https://a.example", false],
  ["https://a.example:8443", "https://a.example", false],
  ["https://a.example.evil.example", "https://a.example", false],
  ["https://evil.example", "", false],
  ["http://localhost:8420", "localhost:8420", true],
])("%s is trusted by the address %j: %s", (address, trusted, expected) => {
  expect(isTrustedBroker(address, [trusted])).toBe(expected);
});
