import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createBlockingRead } from "./blocking-read.ts";
import { listenForCancellations } from "./cancellations.ts";
import type { Client } from "./reconnecting-connection.ts";
import { INFO } from "./recovery-scripts.ts";
import { runScript, script } from "./script.ts";
import { checkServer } from "./server-check.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("a script", () => {
  const one = script("return 1");

  it("is run by its digest, with the base as its only key", async () => {
    const redis = createScriptedRedis();
    redis.answer(one, (args) => ["ran", ...args]);
    expect(await runScript(redis.redis(), "{x}", one, ["a", 2])).toEqual(["ran", "a", 2]);
    expect(await runScript(redis.redis(), "{x}", one)).toEqual(["ran"]);
    for (const shared of ["recall", "advance"]) expect(one.lua).toContain(`local function ${shared}(`);
    expect([one.sha.length, one.lua.endsWith("return 1"), script("return 2").sha === one.sha]).toEqual([
      40,
      true,
      false,
    ]);
  });

  it("is sent when Redis does not have it, and for no other error", async () => {
    const redis = createScriptedRedis();
    redis.answer("eval", (args) => args);
    redis.answer(one, () => {
      throw new Error("NOSCRIPT No matching script.");
    });
    expect(await runScript(redis.redis(), "{x}", one, ["a"])).toEqual([one.lua, 1, "{x}", "a"]);
    for (const message of ["ERR wrong", "ERR not NOSCRIPT"]) {
      redis.answer(one, () => {
        throw new Error(message);
      });
      await expect(runScript(redis.redis(), "{x}", one)).rejects.toThrow(message);
    }
  });
});

describe("a blocking read", () => {
  function start(prepare = (_client: object) => {}) {
    const redis = createScriptedRedis();
    redis.prepare(prepare);
    const others: unknown[][] = [];
    const other = { client: async (...args: unknown[]) => void others.push(args) };
    const state = { uses: 0, fails: false };
    const connection = {
      ...{ connected: true, connectionNumber: 1, lastError: null, close() {} },
      async use<T>(work: (client: Client) => Promise<T>) {
        state.uses++;
        if (state.fails) throw new Error("no Redis");
        return work(other as unknown as Client);
      },
    };
    redis.answer("client", () => 7);
    const reading = createBlockingRead({ redis: redis.redis, connection, base: "{x}", consumer: "me" });
    return { redis, reading, others, state };
  }

  it("names the challenge and entry of each new job", async () => {
    const { redis, reading } = start();
    let asked: unknown[] = [];
    redis.answer("xreadgroup", (args) => {
      asked = [...args];
      return [
        ["{x}:jobs:a", [["1-0", []]]],
        ["{x}:jobs:b:c", [["2-0", []]]],
      ];
    });
    expect(await reading.next(["a", "b:c"])).toEqual([
      ["a", "1-0"],
      ["b:c", "2-0"],
    ]);
    const options = ["GROUP", "graders", "me", "COUNT", 1, "BLOCK", 500, "STREAMS"];
    expect(asked).toEqual([...options, "{x}:jobs:a", "{x}:jobs:b:c", ">", ">"]);
    redis.answer("xreadgroup", () => null);
    expect(await reading.next(["a"])).toEqual([]);
    reading.close();
    expect(redis.clients[0]?.disconnected).toBe(true);
  });

  it("counts as dead after two seconds", async () => {
    const { redis, reading } = start();
    redis.answer("xreadgroup", () => new Promise(() => {}));
    await pass(0);
    const failed = reading.next(["a"]).catch((error: Error) => error.message);
    await pass(1999);
    expect(redis.clients[0]?.disconnected).toBe(false);
    await pass(1);
    expect(await failed).toBe("Redis did not respond within 2000 ms.");
    reading.close();
  });

  it("is interrupted over another connection, by its id", async () => {
    const { redis, reading, others, state } = start();
    reading.interrupt();
    await pass(0);
    expect([others, state.uses]).toEqual([[], 0]);
    reading.interrupt();
    await pass(0);
    expect(others).toEqual([["UNBLOCK", 7]]);
    state.fails = true;
    reading.interrupt();
    // A new connection has an id of its own, which it may not tell.
    redis.answer("client", () => {
      throw new Error("NOPERM");
    });
    redis.clients[0]!.emit("close");
    await pass(50);
    expect(redis.clients).toHaveLength(2);
    reading.interrupt();
    expect(state.uses).toBe(2);
    reading.close();
  });

  it("is not interrupted in a cluster", async () => {
    const { reading, state } = start((client) => Object.assign(client, { nodes: () => [] }));
    await pass(0);
    reading.interrupt();
    expect(state.uses).toBe(0);
    reading.close();
  });
});

describe("messages about cancelled jobs", () => {
  function start(prepare?: Parameters<ReturnType<typeof createScriptedRedis>["prepare"]>[0]) {
    const redis = createScriptedRedis();
    if (prepare) redis.prepare(prepare);
    const subscribed: unknown[] = [];
    redis.answer("subscribe", ([channel]) => void subscribed.push(channel));
    const withdrawn: unknown[][] = [];
    const listening = listenForCancellations(redis.redis, "{x}", (...about) => void withdrawn.push(about));
    const state = { ready: false };
    void listening.ready.then(() => {
      state.ready = true;
    });
    return { redis, listening, withdrawn, subscribed, state };
  }

  it("name the submission and its attempt", async () => {
    const { redis, listening, withdrawn, subscribed, state } = start();
    await pass(0);
    expect([subscribed, state.ready]).toEqual([["{x}:control"], true]);
    redis.clients[0]!.emit("message", "{x}:control", "s 3");
    redis.clients[0]!.emit("message", "{x}:control", "");
    expect(withdrawn).toEqual([["s", 3]]);
    listening.close();
    expect(redis.clients[0]?.disconnected).toBe(true);
  });

  it("are not waited for when Redis refuses them or is unreachable", async () => {
    const refused = start();
    refused.redis.answer("subscribe", () => {
      throw new Error("NOPERM");
    });
    await pass(0);
    expect(refused.state.ready).toBe(true);
    const unreachable = start((client) => {
      client.onConnect = async () => {
        throw new Error("no route");
      };
    });
    await pass(0);
    expect(unreachable.state.ready).toBe(true);
    const waiting = start((client) => {
      client.onConnect = () => new Promise(() => {});
    });
    await pass(100);
    expect(waiting.state.ready).toBe(false);
    for (const { listening } of [refused, unreachable, waiting]) listening.close();
  });

  it("come over a connection that is checked every five seconds", async () => {
    const { redis, listening } = start();
    let pings = 0;
    redis.answer("ping", () => {
      pings++;
      throw new Error("no Redis");
    });
    await pass(4999);
    expect(pings).toBe(0);
    await pass(1);
    expect(pings).toBe(1);
    listening.close();
    expect(vi.getTimerCount()).toBe(0);
    await pass(60_000);
    expect(pings).toBe(1);
  });
});

describe("a server", () => {
  async function check(...texts: string[]) {
    const redis = createScriptedRedis();
    redis.answer(INFO, () => texts);
    const events: string[] = [];
    const note = (about: object) => void events.push((about as { event: string }).event);
    const log = { info: note, warn: note, error: note };
    const error = await checkServer(redis.redis(), "{x}", log).then(
      () => null,
      (reason: { code: string }) => reason.code,
    );
    return [error, events];
  }
  const fits = "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n";

  it.each([
    ["5.0.14", "redis_unfit"],
    ["6.1.9", "redis_unfit"],
    ["6", "redis_unfit"],
    ["6.2.0", null],
    ["6.10.0", null],
    ["7.0.15", null],
    ["10.1.0", null],
  ])("of version %s: %s", async (version, code) => {
    expect(await check(`# Server\r\nredis_version:${version}\r\n`, fits)).toEqual([code, []]);
  });

  it("that is refused is named with the next step", async () => {
    const redis = createScriptedRedis();
    const log = { info() {}, warn() {}, error() {} };
    for (const [text, next] of [
      ["redis_version:5.0.0", "Use Redis 6.2"],
      ["maxmemory_policy:allkeys-lru", "Set maxmemory-policy"],
    ]) {
      redis.answer(INFO, () => [text]);
      const refused = checkServer(redis.redis(), "{x}", log);
      await expect(refused).rejects.toMatchObject({ next: expect.stringContaining(next!) });
    }
  });

  it("that evicts keys is refused, and one that does not say so is used with a warning", async () => {
    const version = "redis_version:7.0.0\r\n";
    expect(await check(version, "maxmemory_policy:allkeys-lru\r\n")).toEqual(["redis_unfit", []]);
    expect(await check("", "maxmemory_policy:allkeys-lru\r\n")).toEqual([
      "redis_unfit",
      ["redis_check_skipped"],
    ]);
    for (const texts of [
      ["", fits],
      [version, ""],
      ["", ""],
    ])
      expect(await check(...texts)).toEqual([null, ["redis_check_skipped"]]);
  });
});
