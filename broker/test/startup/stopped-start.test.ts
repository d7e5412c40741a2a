import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataFolder } from "../../src/records/data-lock.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "crowdai-stopped-start-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));

/** Stops a starting broker when the condition holds for what it has printed. */
async function stopWhen(holds: (stderr: string) => boolean, env: NodeJS.ProcessEnv = {}) {
  const args = [BROKER, "start", "--port", "0", "--data", data, "--with-grader"];
  const broker = spawn(process.execPath, args, { cwd: data, env: { ...process.env, ...env } });
  let stderr = "";
  broker.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const closed = once(broker, "close");
  while (!holds(stderr)) await sleep(1);
  broker.kill("SIGTERM");
  const [code, signal] = await closed;
  return { code, signal, stderr };
}

/** Returns a port at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("a broker that is stopped while it starts exits with 0, and leaves no address and no lock", () => {
  it.each(["broker.lock", "broker.json"])("when it has written %s", async (file) => {
    const ended = await stopWhen(() => existsSync(join(data, file)));
    expect(ended).toMatchObject({ code: 0, signal: null });
    expect((await readdir(data)).filter((name) => /broker\.json|\.tmp$/.test(name))).toEqual([]);
    lockDataFolder(data).release();
  });

  it("when it waits for its database", async () => {
    const DATABASE_URL = `postgres://crowdai@127.0.0.1:${await closedPort()}/crowdai`;
    const ended = await stopWhen((stderr) => stderr.includes("Waiting"), { DATABASE_URL });
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: expect.stringContaining("stopped before") });
    lockDataFolder(data).release();
  });
});
