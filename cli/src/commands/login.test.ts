import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryKeychain, runCli, temporaryFolder } from "../../test/run-cli.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";

const KEY = createApiKey();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker({
    "/api/v1/me": (request) =>
      request.headers.authorization === `Bearer ${KEY}`
        ? { json: { participant: { id: 7, name: "ada" }, agreed: true } }
        : { error: request.headers.authorization ? "key_unknown" : "no_key" },
  });
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(args, { cwd: folder.path, ...options, env: { CROWDAI_BROKER: broker.url, ...options.env } });
const keyFiles = () => readdir(join(folder.path, "user", "keys")).catch(() => []);

test("login checks the key with the broker, stores it and says where; whoami and logout use it", async () => {
  const login = await run(["login", "--with-token"], { stdin: `${KEY}\n` });
  expect(login).toMatchObject({ code: 0, stdout: `Signed in to ${broker.url} as ada.\n` });
  expect(login.stderr).toContain("readable only by you");
  expect(login.stdout + login.stderr).not.toContain(KEY);

  const whoami = await run(["whoami"]);
  expect(whoami).toMatchObject({ code: 0, stdout: "ada\n" });
  expect(whoami.stderr).toContain(join(folder.path, "user", "keys"));

  expect(await run(["logout"])).toMatchObject({ code: 0, stdout: `Signed out of ${broker.url}.\n` });
  expect(await keyFiles()).toEqual([]);
  expect(await run(["logout"])).toMatchObject({ code: 0, stdout: expect.stringContaining("not signed in") });
  expect((await run(["whoami"])).code).toBe(3);
});

test("a webapp key of 32 hex digits is checked by the broker, a crowdai_ key here first", async () => {
  const given = "0123456789abcdef0123456789abcdef";
  await using webapp = await startScriptedBroker({
    "/api/v1/me": (request) =>
      request.headers.authorization === `Bearer ${given}`
        ? { json: { participant: { id: 7, name: "ada" }, agreed: true } }
        : { error: "key_unknown" },
  });
  const env = { CROWDAI_BROKER: webapp.url };
  expect(await run(["login", "--with-token"], { stdin: given, env })).toMatchObject({ code: 0 });
  expect(await run(["whoami"], { env })).toMatchObject({ code: 0, stdout: "ada\n" });
  const unknown = await run(["login", "--with-token"], { stdin: given.replace("0", "1"), env });
  expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining("key_unknown") });
  const mistyped = await run(["login", "--with-token"], { stdin: given.slice(1), env });
  expect(mistyped).toMatchObject({ code: 3, stderr: expect.stringContaining("key_malformed") });
});

test("with a keychain the key is not stored in a file", async () => {
  const keychain = memoryKeychain();
  const login = await run(["login"], { stdin: KEY, keychain });
  expect(login.stderr).toContain("The API key is stored in the keychain.");
  expect([...keychain.entries.values()]).toEqual([KEY]);
  const whoami = await run(["whoami", "--format", "json"], { keychain });
  expect(JSON.parse(whoami.stdout)).toEqual({
    schema_version: 1,
    broker: broker.url,
    participant: { id: 7, name: "ada" },
    agreed: true,
    organizer: null,
    key_source: "keychain",
    ci: null,
    member: null,
    keys: [],
  });
  await run(["logout"], { keychain });
  expect(keychain.entries.size).toBe(0);
});

test.each([
  ["truncated", KEY.slice(0, -1)],
  ["with a letter changed", `${KEY.slice(0, 20)}${KEY[20] === "a" ? "b" : "a"}${KEY.slice(21)}`],
  ["of something else", "ghp_0123456789"],
])("a key %s is refused without asking the broker, and nothing is stored", async (_, stdin) => {
  const { code, stdout, stderr } = await run(["login"], { stdin });
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("error[key_malformed]");
  expect(stderr).not.toContain(stdin);
  expect(broker.received).toEqual([]);
  expect(await keyFiles()).toEqual([]);
});

test.each(["key_unknown", "key_revoked"] as const)("a key refused as %s is not stored", async (error) => {
  broker.routes["/api/v1/me"] = { error };
  const { code, stderr } = await run(["login"], { stdin: createApiKey() });
  expect(code).toBe(3);
  expect(stderr).toContain(`error[${error}]`);
  expect(await keyFiles()).toEqual([]);
});

test("a failed login keeps the stored key", async () => {
  await run(["login"], { stdin: KEY });
  await run(["login"], { stdin: createApiKey() });
  expect((await run(["whoami"])).stdout).toBe("ada\n");
});

test.each([
  [["login", KEY]],
  [["login", "--key", KEY]],
  [["login", `--key=${KEY}`]],
  [["login", "--api-key", KEY]],
  [["login", "--token", KEY]],
])("a key on the command line is refused and explained, without repeating it", async (args) => {
  const { code, stdout, stderr } = await run([...args, "--format", "json"]);
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: "usage",
    next: expect.stringContaining("--with-token"),
  });
  expect(stderr).toContain("not accepted on the command line");
  expect(stdout + stderr).not.toContain(KEY);
  expect(broker.received).toEqual([]);
});

test.each([
  ["nothing", ""],
  ["only blanks", " \n\n"],
])("standard input with %s is reported at once", async (_, stdin) => {
  const { code, stderr } = await run(["login", "--with-token"], { stdin });
  expect(code).toBe(2);
  expect(stderr).toContain("contains no API key");
});

test("a flood on standard input is not read to its end", async () => {
  const { code } = await run(["login"], { stdin: "x".repeat(1_000_000) });
  expect(code).toBe(3);
});

test("login does not prompt under CI, even on a terminal, and names the flag", async () => {
  const tty = { stdin: true, stdout: true, stderr: true };
  const { code, stderr } = await run(["login"], { tty, env: { CI: "true" } });
  expect(code).toBe(2);
  expect(stderr).toContain("--with-token");
});

test("on a terminal login prompts for the key and does not show it", async () => {
  const tty = { stdin: true, stdout: true, stderr: true };
  const { code, stdout, stderr } = await run(["login"], { tty, stdin: `${KEY}\r`, env: { NO_COLOR: "1" } });
  expect(code).toBe(0);
  expect(stdout).toContain("Signed in");
  expect(stderr).toContain("API key for");
  expect(stdout + stderr).not.toContain(KEY);
});

test("Ctrl+C at the prompt changes nothing and exits with 130", async () => {
  const tty = { stdin: true, stdout: true, stderr: true };
  const { code, stderr } = await run(["login"], { tty, stdin: "\u0003" });
  expect(code).toBe(130);
  expect(stderr).toContain("Nothing was changed.");
});

test("a key of one broker is not sent to another", async () => {
  await run(["login"], { stdin: KEY });
  await using other = await startScriptedBroker();
  const { code } = await run(["whoami", "--broker", other.url]);
  expect(code).toBe(3);
  expect(other.received).toEqual([]);
});

test("CROWDAI_API_KEY takes precedence, and login says so", async () => {
  const env = { CROWDAI_API_KEY: createApiKey() };
  const login = await run(["login"], { stdin: KEY, env });
  expect(login.stderr).toContain("CROWDAI_API_KEY is set to another key and takes precedence.");
  expect((await run(["whoami"], { env })).stderr).toContain("error[key_unknown]");
  const logout = await run(["logout"], { env });
  expect(logout.stderr).toContain("CROWDAI_API_KEY is still set and will be used.");
});

test("a malformed CROWDAI_API_KEY is reported before anything is sent", async () => {
  for (const args of [["whoami"], ["challenges"], ["submissions"]]) {
    const { code, stderr } = await run(args, { env: { CROWDAI_API_KEY: "crowdai_short" } });
    expect(code).toBe(3);
    expect(stderr).toContain("from CROWDAI_API_KEY");
  }
  expect(broker.received).toEqual([]);
});

test("config prints each value with its source, and the key only as present", async () => {
  await run(["login"], { stdin: KEY });
  await writeFile(join(folder.path, "crowdai.json"), '{"challenge_id":"iris"}');
  const { stdout } = await run(["config", "--format", "json"]);
  expect(JSON.parse(stdout).settings).toMatchObject({
    broker: { value: broker.url, source: "CROWDAI_BROKER" },
    challenge: { value: "iris", source: join(folder.path, "crowdai.json") },
    key: { value: "present" },
    config_dir: { value: join(folder.path, "user"), source: "CROWDAI_CONFIG_DIR" },
  });
  expect(stdout).not.toContain(KEY);
});

test("config set and unset change the user's settings, and warn when another source takes precedence", async () => {
  const env = { CROWDAI_BROKER: undefined };
  expect((await run(["config", "set", "broker", "https://Example.org/"], { env })).stdout).toBe(
    "Set broker to https://example.org.\n",
  );
  expect((await run(["config", "get", "broker", "--quiet"], { env })).stdout).toBe("https://example.org\n");
  expect((await run(["config", "set", "broker", "http://other"])).stderr).toContain(
    "CROWDAI_BROKER sets another",
  );
  await run(["config", "unset", "broker"], { env });
  expect((await run(["config", "get", "broker", "--quiet"], { env })).stdout).toBe("http://localhost:8420\n");
  expect((await run(["config", "set", "broker", "example.org"], { env })).code).toBe(2);
  expect((await run(["config", "set", "challenge"], { env })).code).toBe(2);
});
