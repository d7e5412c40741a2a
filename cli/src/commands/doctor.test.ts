import { chmod } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryKeychain, runCli, temporaryFolder } from "../../test/run-cli.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";

const KEY = createApiKey();
const HEALTHY = { ok: true, service: "crowdai", version: "0.1.0" };
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker({
    "/api/v1/me": { json: { participant: { id: 1, name: "ada" }, agreed: false } },
  });
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
async function examine(args: string[] = [], options: Partial<Parameters<typeof runCli>[1]> = {}) {
  const run = await runCli(["doctor", "--format", "json", ...args], {
    cwd: folder.path,
    keychain: memoryKeychain(),
    ...options,
    env: { PATH: process.env.PATH, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: KEY, ...options.env },
  });
  const document = JSON.parse(run.stdout) as {
    healthy: boolean;
    exit_code: number;
    checks: { name: string; status: string; message: string }[];
  };
  const statusOf = (name: string) => document.checks.find((check) => check.name === name)?.status;
  return { ...run, document, statusOf };
}

test("every check passes on a healthy machine", async () => {
  const { code, document } = await examine();
  expect(document.checks.map(({ name, status }) => [name, status])).toEqual([
    ["runtime", "ok"],
    ["settings", "ok"],
    ["git", "ok"],
    ["keychain", "ok"],
    ["key file", "skipped"],
    ["proxy", "skipped"],
    ["broker", "ok"],
    ["git connection", "ok"],
    ["clock", "ok"],
    ["key", "ok"],
  ]);
  expect({ code, healthy: document.healthy }).toEqual({ code: 0, healthy: true });
  expect(JSON.stringify(document)).not.toContain(KEY);
});

test("a clock that differs from the broker's is a warning, and a failure with --strict", async () => {
  const date = new Date(Date.now() - 3600 * 1000).toUTCString();
  broker.routes["/healthz"] = { json: HEALTHY, headers: { date } };
  const { code, document } = await examine();
  expect(code).toBe(0);
  expect(document.checks.find(({ name }) => name === "clock")).toMatchObject({
    status: "warning",
    message: expect.stringMatching(/^1 h ahead of the broker,/),
  });
  const strict = await examine(["--strict"]);
  expect(strict.document).toMatchObject({ healthy: false, exit_code: 1 });
  expect(strict.code).toBe(1);
});

test("an unreachable broker is exit code 5, and the other checks continue", async () => {
  const { code, statusOf } = await examine([], { env: { CROWDAI_BROKER: "http://127.0.0.1:1" } });
  expect(code).toBe(5);
  expect([statusOf("broker"), statusOf("clock"), statusOf("key"), statusOf("git")]).toEqual([
    "failed",
    "skipped",
    "skipped",
    "ok",
  ]);
});

test("both requests and git are checked, through the proxy of the environment", async () => {
  const through: string[] = [];
  const proxy = createServer((request, response) => {
    through.push(new URL(request.url as string).pathname);
    response.writeHead(through.length > 1 ? 502 : 503).end("no way");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const { code, document, statusOf } = await examine([], { env: { HTTP_PROXY: `me:secret@${address}` } });
  const excluded = await examine([], { env: { ALL_PROXY: address, NO_PROXY: "10.0.0.0/8 127.0.0.0/8" } });
  proxy.close();
  expect(new Set(through)).toEqual(new Set(["/healthz", "/code/doctor/doctor.git/info/refs"]));
  expect({ code, broker: statusOf("broker"), git: statusOf("git connection") }).toEqual({
    code: 5,
    broker: "failed",
    git: "failed",
  });
  const message = document.checks.find(({ name }) => name === "proxy")?.message;
  expect(message).toBe(`http://…@${address} (from HTTP_PROXY), for requests and git`);
  expect([excluded.statusOf("proxy"), excluded.statusOf("git connection")]).toEqual(["skipped", "ok"]);
});

test("a proxy whose broker is away is named", async () => {
  const proxy = createServer((_, response) => {
    response.writeHead(502, { server: "nginx", "content-type": "text/html" }).end("<h1>Bad Gateway</h1>");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const { code, document } = await examine([], { env: { CROWDAI_BROKER: address } });
  proxy.close();
  expect(code).toBe(5);
  expect(document.checks.find(({ name }) => name === "broker")).toMatchObject({
    message: `A proxy (nginx) answered in place of the broker at ${address} with status 502 and a web page.`,
    error: { code: "broker_unreachable" },
  });
});

test("another service on the port is not taken for a broker", async () => {
  broker.routes["/healthz"] = { bytes: "<h1>It works!</h1>", type: "text/html" };
  const { code, document } = await examine();
  expect(code).toBe(5);
  expect(document.checks.find(({ name }) => name === "broker")).toMatchObject({
    error: { code: "not_a_broker" },
  });
});

test("a missing or refused key is exit code 3", async () => {
  expect((await examine([], { env: { CROWDAI_API_KEY: "" } })).code).toBe(3);
  broker.routes["/api/v1/me"] = { error: "key_revoked" };
  expect((await examine()).code).toBe(3);
});

test("a key file that others can read is a failure, reported with the command that fixes it", async () => {
  const env = { CROWDAI_BROKER: broker.url };
  await runCli(["login"], { cwd: folder.path, env, stdin: KEY });
  const file = join(folder.path, "user", "keys", `${encodeURIComponent(broker.url)}.json`);
  expect((await examine([], { env: { CROWDAI_API_KEY: "" } })).statusOf("key file")).toBe("ok");
  await chmod(file, 0o644);
  const { code, statusOf, stdout } = await examine([], { env: { CROWDAI_API_KEY: "" } });
  expect({ code, status: statusOf("key file") }).toEqual({ code: 2, status: "failed" });
  expect(stdout).toContain("chmod 600");
});

test("invalid settings are reported without asking a broker", async () => {
  const { code, statusOf } = await examine([], { env: { CROWDAI_BROKER: "nonsense" } });
  expect(code).toBe(2);
  expect(statusOf("settings")).toBe("failed");
  expect(broker.received).toEqual([]);
});
