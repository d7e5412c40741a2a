import { Cluster, Redis } from "ioredis";
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
  }
});
