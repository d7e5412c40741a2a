import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { catalog } from "@crowdai/shared";
import { afterEach, beforeEach, expect, test } from "vitest";
import { jsonLines, runCli, temporaryFolder } from "../test/run-cli.ts";
import { type ScriptedBroker, startScriptedBroker } from "../test/scripted-broker.ts";
import { EXIT_CODES } from "./commands/help.ts";
import { createProgram } from "./program.ts";
import { redact } from "./terminal/redact.ts";

const COMMANDS = createProgram({ version: "0", writeOut: () => {}, run: async () => {} }).commands.map((c) =>
  c.name(),
);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker({ "/api/v1/challenges": { json: { challenges: [] } } });
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(args, { cwd: folder.path, ...options, env: { CROWDAI_BROKER: broker.url, ...options.env } });

test.each(COMMANDS)(
  "`%s --help` shows examples first, and asks neither the network nor the settings",
  async (name) => {
    await writeFile(join(folder.path, "crowdai.json"), "broken");
    for (const flag of ["--help", "-h"]) {
      const { code, stdout, stderr } = await run([name, flag]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Examples:\n {2}\$ /);
      for (const option of ["--broker", "--format", "--quiet", "--no-color", "--version", "--help"])
        expect(stdout).toContain(option);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    }
    expect(broker.received).toEqual([]);
  },
);

test("no argument, --help and help show the same", async () => {
  const { stdout } = await run(["--help"]);
  expect(await run([])).toEqual({ code: 0, stdout, stderr: "" });
  expect(await run(["help"])).toEqual({ code: 0, stdout, stderr: "" });
});

test("--version begins with the version, on every command", async () => {
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  for (const args of [["--version"], ["submit", "--version"]]) {
    const { code, stdout } = await run(args);
    expect(code).toBe(0);
    expect(stdout.split(/\s/)[0]).toBe(version);
  }
});

test.each([
  [["sumbit", "x.csv"], "Did you mean submit?"],
  [["submit", "--mesage", "x"], "Did you mean --message?"],
  [["challenges", "--frmat", "json"], "Did you mean --format?"],
])("a mistyped %j gets a suggestion and is not run", async (args, suggestion) => {
  const { code, stdout, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain("error[usage]");
  expect(stderr).toContain(suggestion);
  expect(broker.received).toEqual([]);
});

test.each([
  [["challenges", "surplus"]],
  [["show"]],
  [["leaderboard", "--limit", "0"]],
  [["leaderboard", "--limit", "many"]],
  [["leaderboard", "--limit"]],
  [["challenges", "--format", "xml"]],
  [["submit", "--min-score", "NaN"]],
  [["submit", "--timeout", "-1"]],
  [["completion", "tcsh"]],
  [["config", "drop"]],
  [["config", "set", "style", "blue"]],
  [["config", "get", "nothing"]],
  [["config", "list", "broker"]],
  [["help", "lgoin"]],
  [["challenges", "--broker", "localhost"]],
  [["chal"]],
])("%j is a usage error: exit code 2, stdout empty", async (args) => {
  const { code, stdout, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^error\[usage\]: .+\n.+/);
});

test.each([
  [["--format", "json", "nonsense"]],
  [["challenges", "--format=json", "--nonsense"]],
  [["challenge", "--format", "json"]],
  [["show", "--format", "json"]],
])("with --format json %j fails with one document on stdout", async (args) => {
  const { code, stdout } = await run(args);
  const document = JSON.parse(stdout);
  expect(code).toBe(2);
  expect(document).toMatchObject({
    schema_version: 1,
    exit_code: 2,
    error: { code: expect.any(String), fault: "you", message: expect.any(String), next: expect.any(String) },
  });
});

test("with --format ndjson a failure is a line", async () => {
  const { stdout } = await run(["challenge", "--format", "ndjson"]);
  expect(jsonLines(stdout)).toEqual([
    expect.objectContaining({ type: "error", schema_version: 1, exit_code: 2 }),
  ]);
});

test("text after -- or as an option's value is not an output flag", async () => {
  expect((await run(["nonsense", "--", "--format=json"])).stdout).toBe("");
});

test("global options may stand before the command as well as after it", async () => {
  const before = await run(["--format", "json", "--broker", broker.url, "challenges"], {
    env: { CROWDAI_BROKER: "" },
  });
  const after = await run(["challenges", "--format", "json", "--broker", broker.url], {
    env: { CROWDAI_BROKER: "" },
  });
  expect(before.code).toBe(0);
  expect(JSON.parse(before.stdout)).toEqual({ schema_version: 1, challenges: [] });
  expect(after.stdout).toBe(before.stdout);
});

test("a broker that is not there is exit code 5 and names the address", async () => {
  await broker[Symbol.asyncDispose]();
  const { code, stderr } = await run(["challenges"]);
  expect(code).toBe(5);
  expect(stderr).toContain("error[broker_unreachable]");
  expect(stderr).toContain(broker.url);
  broker = await startScriptedBroker();
});

test("another server on that port is reported", async () => {
  broker.routes = { "/api/v1/challenges": { bytes: "<h1>It works!</h1>", type: "text/html" } };
  const { code, stderr } = await run(["challenges"]);
  expect(code).toBe(5);
  expect(stderr).toContain("error[not_a_broker]");
});

test("mistakes in crowdai.json stop the command before anything is asked", async () => {
  await writeFile(join(folder.path, "crowdai.json"), '{"challenge_id":1,"authors":"Ada"}');
  const { code, stderr } = await run(["challenges"]);
  expect(code).toBe(2);
  expect(stderr).toContain("challenge_id: expected the id of a challenge");
  expect(stderr).toContain("authors: expected a list of names");
  expect(broker.received).toEqual([]);
});

test("an unknown field of crowdai.json is warned about, once, on stderr", async () => {
  await writeFile(join(folder.path, "crowdai.json"), '{"challenge_id":"iris","gpu":1}');
  const { code, stdout, stderr } = await run(["challenges", "--format", "json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ schema_version: 1, challenges: [] });
  expect(stderr.match(/unknown field "gpu"/g)).toHaveLength(1);
});

test("an unexpected error is a bug report without a stack; CROWDAI_DEBUG adds it", async () => {
  const keychain = { get: () => explode(), set: () => explode(), remove: () => explode() };
  const explode = () => {
    throw new TypeError("boom with crowdai_0123456789abcdef");
  };
  const plain = await run(["doctor"], { keychain });
  expect(plain.stdout).toContain("keychain: An unexpected error occurred.");
  broker.routes["/api/v1/me"] = { json: { participant: { id: 1, name: "ada" }, agreed: false } };
  const key = await import("@crowdai/shared").then(({ createApiKey }) => createApiKey());
  const login = await run(["login"], { keychain, stdin: key });
  expect(login.code).toBe(1);
  expect(login.stderr).toContain("TypeError: boom with crowdai_…");
  expect(login.stderr).toContain("This is a bug.");
  expect(login.stderr).not.toContain("    at ");
  const debug = await run(["login"], { keychain, stdin: key, env: { CROWDAI_DEBUG: "1" } });
  expect(debug.stderr).toContain("    at ");
  expect(debug.stderr).not.toContain(key);
});

test("an interrupted command ends with 130", async () => {
  const stop = new AbortController();
  broker.routes["/api/v1/challenges"] = () => {
    stop.abort();
    return { json: { challenges: [] } };
  };
  const { code, stderr } = await run(["challenges"], { signal: stop.signal });
  expect(code).toBe(130);
  expect(stderr).toContain("error[interrupted]");
});

test("what a broker says cannot move the cursor, and looks the same in JSON and text", async () => {
  broker.routes["/api/v1/challenges/x"] = {
    error: "challenge_unknown",
    message: "no \u001b[2Jsuch \u0007thing\u202e",
    details: { suggestion: "iris\u001b[31m" },
  };
  const { code, stderr } = await run(["challenge", "x"]);
  expect(code).toBe(2);
  expect(stderr).toContain("no \\x1b[2Jsuch \\x07thing\\u202e");
  expect(stderr).toContain("Did you mean iris\\x1b[31m?");
  const json = await run(["challenge", "x", "--format", "json"]);
  for (const text of [stderr, json.stdout, json.stderr])
    for (const control of "\u001b\u0007\u202e") expect(text).not.toContain(control);
});

test("keys and signatures are cut out of whatever is said", () => {
  expect(redact("PUT https://store/x/y?X-Amz-Signature=abc&b=1 failed")).toBe(
    "PUT https://store/x/y?… failed",
  );
  expect(redact("key crowdai_abcdefghijkl refused")).toBe("key crowdai_… refused");
});

test("the help page on exit codes knows each exit code of the catalog", async () => {
  const { stdout } = await run(["help", "exit-codes"]);
  const known = EXIT_CODES.map(([code]) => code);
  for (const row of Object.values(catalog)) expect(known).toContain(row.exit);
  for (const code of known) expect(stdout).toMatch(new RegExp(`^${code} `, "m"));
});

test("the help page on the environment names the variables", async () => {
  const { stdout } = await run(["help", "environment"]);
  for (const name of [
    "CROWDAI_API_KEY",
    "CROWDAI_BROKER",
    "CROWDAI_CHALLENGE",
    "CROWDAI_CONFIG_DIR",
    "NO_COLOR",
    "CI",
  ])
    expect(stdout).toContain(name);
});
