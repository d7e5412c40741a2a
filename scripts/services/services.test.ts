import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRunning } from "../../test/is-running.ts";
import { root } from "../lib/root.ts";
import { startPostgres } from "./postgres.ts";
import { findProgram, withoutService } from "./programs.ts";
import { startRedis } from "./redis.ts";

const run = promisify(execFile);
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-services-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe.skipIf(withoutService("redis"))("Redis", () => {
  it("has its contents and its address again after a kill", async () => {
    const redis = await startRedis({ folder });
    const cli = async (...args: string[]) =>
      (await run("redis-cli", ["-u", redis.url, ...args])).stdout.trim();
    expect(await cli("SET", "key", "kept")).toBe("OK");
    const { pid } = redis;
    await redis.kill("SIGKILL");
    await redis.restart();
    expect(redis.pid).not.toBe(pid);
    expect(await cli("GET", "key")).toBe("kept");
    await redis.stop();
    await expect(cli("GET", "key")).rejects.toThrow("refused");
  });

  it("ends when it is frozen, too", async () => {
    const redis = await startRedis({ folder });
    await redis.kill("SIGSTOP");
    await redis.stop();
    expect(() => process.kill(redis.pid, 0)).toThrow("ESRCH");
  });

  it("dies with the process that started it, killed though that is", async () => {
    const script = `import { startRedis } from ${JSON.stringify(join(root, "scripts/services/redis.ts"))};
      console.log((await startRedis({ folder: ${JSON.stringify(folder)} })).pid);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: root });
    const [said] = await once(child.stdout, "data");
    const pid = Number(said);
    expect(() => process.kill(pid, 0)).not.toThrow();
    child.kill("SIGKILL");
    await once(child, "exit");
    while (isRunning(pid)) await sleep(10);
  });

  it("says what its program said when it does not start", async () => {
    await expect(startRedis({ folder, args: ["--maxmemory-policy", "never"] })).rejects.toThrow(
      "maxmemory-policy",
    );
  });
});

describe.skipIf(withoutService("postgres"))("PostgreSQL", () => {
  it("has its rows again after a kill", async () => {
    const postgres = await startPostgres({ folder });
    const psql = async (sql: string) =>
      (await run(findProgram("psql")!, ["-qAt", "-c", sql, postgres.url])).stdout.trim();
    await psql("CREATE TABLE t (n int); INSERT INTO t VALUES (7)");
    await postgres.kill("SIGKILL");
    await postgres.restart();
    expect(await psql("SELECT n FROM t")).toBe("7");
    await postgres.stop();
  });
});
