import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { freePorts, startDaemon } from "../../../../scripts/services/daemon.ts";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { missing } from "../../../../test/required-programs.ts";
import { jobOf } from "../contract/samples.ts";
import { aborted, until } from "../contract/wait-until.ts";
import type { Client } from "./reconnecting-connection.ts";
import { checkServer } from "./server-check.ts";
import { type RedisStage, staged } from "./testing/redis-stage.ts";

const run = promisify(execFile);
/** By default 10,000 above the port, where another program may listen. */
const clusterPort = await freePorts();

/** Publishes, delivers and acknowledges a job. */
async function works(stage: RedisStage, url: string): Promise<void> {
  const queue = await stage.queue({ url });
  const grader = stage.attach(queue, { concurrency: 2 });
  await until(() =>
    queue.publish(jobOf("job")).then(
      () => true,
      () => false,
    ),
  );
  const older = await grader.next();
  await queue.publish(jobOf("job", { attempt: 2 }));
  const newer = await grader.next();
  expect(newer.delivery.job.attempt).toBe(2);
  await aborted(older.delivery.signal);
  older.returnToQueue();
  newer.acknowledge();
  await until(async () => (await queue.attached()).length === 1);
}

describe.skipIf(withoutService("redis"))("a Redis server", () => {
  it.concurrent(
    "that evicts keys is rejected",
    staged(
      async (stage) => {
        await expect(stage.queue()).rejects.toMatchObject({
          code: "redis_unfit",
          message: expect.stringContaining("allkeys-lru"),
        });
      },
      ["--maxmemory-policy", "allkeys-lru"],
    ),
  );

  it.concurrent(
    "that begins to evict keys is rejected after a reconnect",
    staged(async (stage) => {
      const queue = await stage.queue();
      await queue.publish(jobOf("fine"));
      await stage.admin.config("SET", "maxmemory-policy", "volatile-ttl");
      await stage.admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await until(() =>
        queue.publish(jobOf("refused")).then(
          () => false,
          (error) => error.code === "redis_unfit",
        ),
      );
    }),
  );

  it.concurrent("that is too old is rejected, and one of unknown version is used with a warning", async () => {
    const answering = (...texts: string[]) => ({ evalsha: async () => texts }) as unknown as Client;
    const warned: string[] = [];
    const log = { info() {}, error() {}, warn: (_: object, message: string) => void warned.push(message) };
    const memory = "maxmemory_policy:noeviction\r\n";
    for (const version of ["5.0.14", "6.0.16"])
      await expect(
        checkServer(answering(`redis_version:${version}\r\n`, memory), "{x}", log),
      ).rejects.toMatchObject({
        code: "redis_unfit",
      });
    for (const version of ["6.2.0", "7.2.4", "8.4.0", "10.0.0"])
      await checkServer(answering(`redis_version:${version}\r\n`, memory), "{x}", log);
    expect(warned).toEqual([]);
    await checkServer(answering("", ""), "{x}", log);
    expect(warned).toHaveLength(1);
  });

  it.concurrent(
    "with a password accepts it, and rejects a wrong one immediately",
    staged(
      async (stage) => {
        const { port } = stage.redis;
        await works(stage, `redis://:s3cret%2F@127.0.0.1:${port}`);
        for (const wrong of ["", "wrong@", "user:wrong@"])
          await expect(stage.queue({ url: `redis://${wrong}127.0.0.1:${port}` })).rejects.toMatchObject({
            code: "redis_unfit",
          });
        expect(stage.logged.join()).not.toContain("s3cret");
      },
      ["--requirepass", "s3cret/"],
    ),
  );

  it.concurrent(
    "works for a user with access to the queue's keys and no administration",
    staged(async (stage) => {
      const rights = [
        ">pass",
        `~{${stage.prefix}}*`,
        `&{${stage.prefix}}*`,
        "+@all",
        "-@admin",
        "-@dangerous",
        "+info",
      ];
      await stage.admin.call("ACL", "SETUSER", "crowdai", "on", ...rights);
      await works(stage, `redis://crowdai:pass@127.0.0.1:${stage.redis.port}`);
    }),
  );

  it.concurrent(
    "in another database",
    staged(async (stage) => {
      await works(stage, `${stage.redis.url}/3`);
      expect(await stage.admin.dbsize()).toBe(0);
    }),
  );

  it.concurrent(
    "that is a cluster",
    staged(
      async (stage) => {
        await stage.admin.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383);
        await until(async () => ((await stage.admin.cluster("INFO")) as string).includes("cluster_state:ok"));
        await works(stage, `redis-cluster://127.0.0.1:${stage.redis.port}`);
      },
      [
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.1",
        "--cluster-port",
        String(clusterPort),
      ],
    ),
  );

  it.concurrent(
    "found through a Sentinel",
    staged(async (stage) => {
      const folder = await mkdtemp(join(tmpdir(), "crowdai-sentinel-"));
      const port = await freePorts();
      const config = join(folder, "sentinel.conf");
      await run("sh", [
        "-c",
        `printf 'port ${port}\\nbind 127.0.0.1\\nsentinel monitor main 127.0.0.1 ${stage.redis.port} 1\\n' > ${config}`,
      ]);
      const sentinel = await startDaemon({
        name: "sentinel",
        folder,
        argv: ["redis-server", config, "--sentinel"],
        ready: async () =>
          (
            await run("redis-cli", ["-p", String(port), "sentinel", "get-master-addr-by-name", "main"])
          ).stdout.includes(String(stage.redis.port)),
      });
      await works(stage, `redis+sentinel://127.0.0.1:${port}/main`);
      await sentinel.stop();
      await rm(folder, { recursive: true });
    }),
  );

  it.skipIf(missing("openssl"))("behind TLS, for clients that trust its CA", async () => {
    const folder = await mkdtemp(join(tmpdir(), "crowdai-tls-"));
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
    await run("openssl", [...request, "-keyout", key, "-out", certificate]);
    const port = await freePorts();
    const tls = ["--tls-port", String(port), "--tls-auth-clients", "no", "--tls-ca-cert-file", certificate];
    await staged(
      async (stage) => {
        await works(stage, `rediss://127.0.0.1:${port}?ca=${encodeURIComponent(certificate)}`);
        const distrustful = await stage.queue({ url: `rediss://127.0.0.1:${port}` });
        await expect(distrustful.publish(jobOf("no"))).rejects.toThrow(/certificate/);
      },
      [...tls, "--tls-cert-file", certificate, "--tls-key-file", key],
    )();
    await rm(folder, { recursive: true });
  });
});
