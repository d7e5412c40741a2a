import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { expect, it } from "vitest";
import { connectionsTo } from "./redis-url.ts";

function optionsOf(url: string) {
  const client = connectionsTo(url).connect();
  if (!(client instanceof Redis)) throw new Error("not one server");
  client.disconnect();
  return client.options;
}

it("parses the URL of one server", () => {
  expect(optionsOf("redis://localhost")).toMatchObject({ host: "localhost", port: 6379, db: 0 });
  expect(optionsOf("redis://10.0.0.1:7000/5")).toMatchObject({ host: "10.0.0.1", port: 7000, db: 5 });
  expect(optionsOf("redis://[::1]:7000")).toMatchObject({ host: "::1", port: 7000 });
  expect(optionsOf("redis+unix:///run/redis.sock")).toMatchObject({ path: "/run/redis.sock" });
});

it("parses users and passwords with any characters", () => {
  expect(optionsOf("redis://user:pass@host")).toMatchObject({ username: "user", password: "pass" });
  expect(optionsOf("redis://:p%40ss%3Aw@host")).toMatchObject({ username: null, password: "p@ss:w" });
  expect(optionsOf("redis://pass@host:65535")).toMatchObject({
    username: null,
    password: "pass",
    port: 65535,
  });
  expect(optionsOf("redis://user:p@ss:w@host")).toMatchObject({
    username: "user",
    password: "p@ss:w",
    host: "host",
  });
});

it("parses TLS, Sentinels and clusters", () => {
  expect(optionsOf("rediss://host").tls).toEqual({});
  expect(optionsOf("redis://host").tls).toBeUndefined();
  expect(optionsOf("redis+sentinel://:pw@a,b:1/main/2?sentinel_password=s")).toMatchObject({
    sentinels: [
      { host: "a", port: 26379 },
      { host: "b", port: 1 },
    ],
    ...{ name: "main", db: 2, password: "pw", sentinelPassword: "s" },
  });
  const cluster = connectionsTo("rediss-cluster://u:p@a:1,b").connect();
  expect(cluster).toBeInstanceOf(Cluster);
  expect((cluster as Cluster).options.redisOptions).toMatchObject({ username: "u", password: "p", tls: {} });
});

/** The options of a client that is used for one connection, and of one that reconnects. */
function bothOf(
  url: string,
  options?: Parameters<ReturnType<typeof connectionsTo>["connectWithReconnect"]>[0],
) {
  const { connect, connectWithReconnect } = connectionsTo(url);
  return [connect(), connectWithReconnect(options)].map((client) => {
    client.on("error", () => {});
    client.disconnect();
    return client.options;
  });
}
const once = { lazyConnect: true, enableOfflineQueue: false, autoResendUnfulfilledCommands: false };
const again = { lazyConnect: false, enableOfflineQueue: true, autoResendUnfulfilledCommands: true };

it("connects once, or again after pauses of up to two seconds", () => {
  const options = { connectTimeout: 2000, keepAlive: 10_000, protocol: 2 };
  for (const url of ["redis://127.0.0.1:1", "redis+unix:///nowhere/redis.sock"]) {
    const [single, lasting] = bothOf(url) as RedisOptions[];
    expect(single).toMatchObject({ ...options, ...once, maxRetriesPerRequest: 0 });
    expect(lasting).toMatchObject({ ...options, ...again, maxRetriesPerRequest: 2 });
    expect(single!.retryStrategy!(1)).toBeNull();
    expect([1, 2, 20, 100].map((tries) => lasting!.retryStrategy!(tries))).toEqual([100, 200, 2000, 2000]);
    expect(lasting!.commandTimeout).toBeUndefined();
  }
  const [, forever] = bothOf("redis://127.0.0.1:1", { retryForever: true, commandMs: 70 });
  expect(forever).toMatchObject({ ...again, maxRetriesPerRequest: null, commandTimeout: 70 });
});

it("asks Sentinels once, or again, with TLS if the server has it", () => {
  const [single, lasting] = bothOf("redis+sentinel://127.0.0.1:1/main") as RedisOptions[];
  expect([single, lasting]).toMatchObject([once, again]);
  expect(single!.sentinelRetryStrategy!(1)).toBeNull();
  expect(lasting!.sentinelRetryStrategy!(3)).toBe(300);
  expect(single!.enableTLSForSentinelMode).toBe(false);
  const [secure] = bothOf("rediss+sentinel://127.0.0.1:1/main") as RedisOptions[];
  expect(secure).toMatchObject({ enableTLSForSentinelMode: true, tls: {}, sentinelTLS: {} });
});

it("asks the nodes of a cluster once, or again", () => {
  const [single, lasting] = bothOf("redis-cluster://u:p@127.0.0.1:1", { commandMs: 70 }) as ClusterOptions[];
  expect(single).toMatchObject({ lazyConnect: true, enableOfflineQueue: false, redisOptions: once });
  expect(lasting).toMatchObject({ lazyConnect: false, enableOfflineQueue: true });
  expect(lasting!.redisOptions).toMatchObject({ ...again, username: "u", password: "p", commandTimeout: 70 });
  expect(single!.clusterRetryStrategy!(1)).toBeNull();
  expect(lasting!.clusterRetryStrategy!(3)).toBe(300);
  const [secure] = bothOf("rediss-cluster://127.0.0.1:1") as ClusterOptions[];
  let found: unknown;
  secure!.dnsLookup!("10.0.0.1", (_error, address) => {
    found = address;
  });
  expect(found).toBe("10.0.0.1");
});

it("names the server without secrets", () => {
  const names = [
    "redis://u:secret@host:1/2",
    "rediss://:secret@host",
    "redis+sentinel://:secret@a,b/main?sentinel_password=secret",
    "redis-cluster://:secret@a,b",
  ].map((url) => connectionsTo(url).name);
  expect(names).toEqual([
    "Redis at host:1",
    "Redis at host (TLS)",
    "Redis main through Sentinel at a,b",
    "Redis Cluster at a,b",
  ]);
});

it("rejects an invalid URL with the reason, without its secret", () => {
  const wrong = [
    ["", "not a valid Redis URL"],
    ["localhost:6379", "not a valid Redis URL"],
    ["http://:secret@host", "not a valid Redis URL"],
    ["redis://:secret@", "invalid host"],
    ["redis://:secret@host:99999", "invalid host"],
    ["redis://:secret@a,b", "several hosts"],
    ["redis+sentinel://:secret@a", "not name a master"],
    ["redis://:secret@host/first", "not a number"],
    ["redis://:secret%@host", "%25"],
    ["rediss://:secret@host?ca=/nowhere.pem", "/nowhere.pem"],
    ["redis+unix://host", "not name a socket"],
    ["redis+unix://host/run/redis.sock", "not name a socket"],
    ["redis+unix://", "not name a socket"],
    ["xredis://host", "not a valid Redis URL"],
    ["redis://host?ca=a\nb", "not a valid Redis URL"],
    ["redis://x[::1]", "invalid host"],
    ["redis://host:6379x", "invalid host"],
  ] as const;
  for (const [url, why] of wrong) {
    let thrown: unknown;
    try {
      connectionsTo(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, url).toMatchObject({ code: "config_invalid", message: expect.stringContaining(why) });
    expect(String(thrown), url).not.toContain("secret");
    expect((thrown as Error).cause !== undefined, url).toBe(url.includes("nowhere"));
  }
});
