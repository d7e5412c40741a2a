import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { publicChallenge } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { gradedSubmission } from "../../test/sample-submissions.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";

const KEY = createApiKey();
const ID = gradedSubmission().id;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
let config: string;
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker();
});
beforeEach(() => {
  config = join(folder.path, `config-${count++}`);
  broker.received.length = 0;
  broker.routes["/api/v1/challenges"] = {
    json: { challenges: [publicChallenge({ id: "iris" }), publicChallenge({ id: "pendulum-v1" })] },
  };
  broker.routes["/api/v1/submissions"] = { json: { submissions: [gradedSubmission()] } };
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const complete = (kind: string, env: Record<string, string | undefined> = {}, cwd = folder.path) =>
  runCli(["__complete", kind], {
    cwd,
    tty: { stdin: true, stdout: true, stderr: true },
    env: { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: KEY, CROWDAI_CONFIG_DIR: config, ...env },
  });
const silent = { code: 0, stdout: "", stderr: "" };

test("prints the ids of challenges and of the participant's submissions", async () => {
  expect(await complete("challenges")).toEqual({ ...silent, stdout: "iris\npendulum-v1\n" });
  expect(await complete("submissions")).toEqual({ ...silent, stdout: `${ID}\n` });
});

test("offers what it has read without asking again, from files that only the user can read", async () => {
  await complete("challenges");
  await complete("submissions");
  const asked = broker.received.length;
  expect((await complete("challenges")).stdout).toBe("iris\npendulum-v1\n");
  expect(broker.received).toHaveLength(asked);
  for (const name of await readdir(join(config, "completion"))) {
    const path = join(config, "completion", name);
    expect((await stat(path)).mode & 0o077).toBe(0);
    expect(await readFile(path, "utf8")).not.toContain(KEY);
  }
});

test("is silent without a key, a broker, valid settings, or a known kind", async () => {
  expect(await complete("submissions", { CROWDAI_API_KEY: undefined })).toEqual(silent);
  expect(await complete("submissions", { CROWDAI_API_KEY: "crowdai_mistyped" })).toEqual(silent);
  expect(await complete("challenges", { CROWDAI_BROKER: "http://127.0.0.1:9" })).toEqual(silent);
  expect(await complete("challenges", { CROWDAI_BROKER: "nonsense" })).toEqual(silent);
  expect(await complete("keys")).toEqual(silent);
  broker.routes["/api/v1/challenges"] = { bytes: "<html>Sign in</html>", type: "text/html" };
  expect(await complete("challenges")).toEqual(silent);
});

test("offers nothing after 300 ms, or what it read earlier", async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const began = performance.now();
  expect(await complete("challenges", { CROWDAI_BROKER: url })).toEqual(silent);
  expect(performance.now() - began).toBeLessThan(2_000);
  const file = join(config, "completion", `${encodeURIComponent(url)}.challenges.json`);
  await mkdir(join(config, "completion"), { recursive: true });
  await writeFile(file, JSON.stringify({ at: 1, ids: ["earlier"] }));
  expect(await complete("challenges", { CROWDAI_BROKER: url })).toEqual({ ...silent, stdout: "earlier\n" });
  server.close();
});

test("never offers what a shell would run", async () => {
  const ids = ["$(touch /tmp/owned)", "`id`", "a b", "-x", "iris;ls", "good_id.2"];
  broker.routes["/api/v1/challenges"] = {
    json: { challenges: ids.map((id) => ({ ...publicChallenge(), id })) },
  };
  const { stdout } = await complete("challenges");
  expect(["", "good_id.2\n"]).toContain(stdout);
});

test("sends nothing to a broker that only the folder's project file names", async () => {
  const project = join(folder.path, "others");
  await mkdir(project, { recursive: true });
  await writeFile(join(project, "crowdai.json"), JSON.stringify({ broker: broker.url, challenge: "iris" }));
  expect(await complete("submissions", { CROWDAI_BROKER: undefined }, project)).toEqual(silent);
  expect(await complete("challenges", { CROWDAI_BROKER: undefined }, project)).toEqual(silent);
  expect(broker.received).toEqual([]);
});

test("offers the submissions that `crowdai submissions` listed where the key is in the keychain", async () => {
  const secrets = new Map<string, string>();
  const keychain = {
    get: async (account: string) => secrets.get(account) ?? null,
    set: async (account: string, secret: string) => void secrets.set(account, secret),
    remove: async (account: string) => void secrets.delete(account),
  };
  const env = { CROWDAI_BROKER: broker.url, CROWDAI_CONFIG_DIR: config };
  broker.routes["/api/v1/me"] = { json: { participant: { id: 1, name: "ada" }, agreed: true } };
  const login = await runCli(["login", "--with-token"], {
    cwd: folder.path,
    env,
    keychain,
    stdin: `${KEY}\n`,
  });
  expect(login, login.stderr).toMatchObject({ code: 0 });
  expect(await complete("submissions", { CROWDAI_API_KEY: undefined })).toEqual(silent);
  await runCli(["submissions"], { cwd: folder.path, env, keychain });
  expect((await complete("submissions", { CROWDAI_API_KEY: undefined })).stdout).toBe(`${ID}\n`);
});
