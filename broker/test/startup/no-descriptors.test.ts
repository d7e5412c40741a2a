import { execFile, spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Readiness } from "../../src/http/api/health-routes.ts";
import { type BrokerProcess, createBrokerProcess } from "../support/broker-process.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));
const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;
if (!hasPrlimit) process.stderr.write("SKIPPED (prlimit is missing)\n");

describe.skipIf(!hasPrlimit)("a broker without free descriptors", () => {
  let broker: BrokerProcess;
  let url: string;
  let key: string;
  // Opened before: a new connection would need a descriptor of the broker.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  beforeAll(async () => {
    broker = await createBrokerProcess({ withGrader: false });
    await writeChallenge(join(broker.folder, "challenges"));
    url = await broker.start();
    const add = [BROKER, "participant", "add", "ada", "--data", join(broker.folder, "data")];
    key = (await promisify(execFile)(process.execPath, add)).stdout.trim();
  });
  afterAll(async () => {
    agent.destroy();
    await broker.close();
  });

  const ask = (method: string, path: string, body?: unknown) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
      const sent = request(url + path, { method, headers, agent }, async (response) => {
        const chunks = await response.toArray();
        resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() });
      });
      sent.once("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  const limit = (descriptors: number) =>
    promisify(execFile)("prlimit", ["--pid", String(broker.pid), `--nofile=${descriptors}:`]);
  const readiness = async () => JSON.parse((await ask("GET", "/readyz")).text) as Readiness;
  const submit = () => {
    const input = { kind: "file", name: "a.csv", size: 3, sha256: "a".repeat(64) };
    return ask("POST", "/api/v1/submissions", { id: createSubmissionId(), challenge: "test", input });
  };

  it("asks clients to try again, is not ready, says why, and recovers", async () => {
    expect(await readiness()).toMatchObject({ ready: true });
    const used = new Set((await readdir(`/proc/${broker.pid}/fd`)).map(Number));
    let free = 0;
    while (used.has(free)) free++;

    // Enough for one file, not for a request that starts a process.
    await limit(free + 4);
    const red = await until(async () => {
      const found = await readiness();
      return !found.ready && found;
    });
    expect(red.checks.storage).toBe("the broker has no file descriptors left (EMFILE)");

    await limit(free);
    const uploaded = await submit();
    expect([uploaded.status, JSON.parse(uploaded.text)]).toEqual([
      503,
      {
        error: expect.objectContaining({
          code: "store_unreachable",
          message: "The object store folder cannot be accessed (EMFILE).",
        }),
      },
    ]);
    const page = await ask("GET", "/challenges/test");
    expect([page.status, JSON.parse(page.text).error]).toEqual([
      503,
      expect.objectContaining({ code: "broker_busy", fault: "platform", retryable: true }),
    ]);
    const code = await ask("GET", "/code/test/ada.git/info/refs?service=git-upload-pack");
    expect([code.status, code.text]).toEqual([
      503,
      "broker_busy: The broker has no file descriptors left.\nTry again in a moment.\n",
    ]);

    await limit(4096);
    await until(async () => (await ask("GET", "/readyz")).status === 200);
    expect((await submit()).status).toBe(200);
  });
});
