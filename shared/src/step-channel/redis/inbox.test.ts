import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createScriptedRedis, type ScriptedClient } from "../../queue/redis/testing/scripted-redis.ts";
import { openInbox } from "./inbox.ts";

describe("the messages of a process", () => {
  let closing: (() => void)[] = [];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  });
  afterEach(async () => {
    for (const close of closing) close();
    closing = [];
    await pass(2000);
    vi.useRealTimers();
  });
  /** The inbox waits for real immediates between its reads. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 25) {
      await vi.advanceTimersByTimeAsync(Math.min(25, ms - passed));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** An inbox, and the Redis whose list it reads. */
  async function start() {
    const redis = createScriptedRedis();
    const list: string[] = [];
    const server = { fails: false, hangs: false, popFails: false, readOnly: false, misses: false };
    const commands: unknown[][] = [];
    let wake = () => {};
    redis.answer("blpop", async ([key, seconds]) => {
      commands.push(["blpop", key, seconds]);
      if (server.fails) throw new Error("ERR no");
      if (server.readOnly) throw new Error("READONLY You can't write against a read only replica.");
      if (server.hangs) await new Promise(() => {});
      if (list.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, Number(seconds) * 1000);
        });
      const found = server.misses ? undefined : list.shift();
      return found === undefined ? null : [key, found];
    });
    redis.answer("lpop", ([key, count]) => {
      commands.push(["lpop", key, count]);
      if (server.popFails) throw new Error("ERR no");
      const found = list.splice(0, Number(count));
      return found.length > 0 ? found : null;
    });
    const received: string[] = [];
    const state = { busy: false, reconnects: 0 };
    const inbox = openInbox({
      redis: redis.redis,
      key: "inbox",
      receive: (message) => void received.push(message),
      isBusy: () => state.busy,
      onReconnect: () => state.reconnects++,
    });
    closing.push(() => inbox.close());
    await pass(0);
    const push = async (...messages: string[]) => {
      list.push(...messages);
      wake();
      await pass(0);
    };
    return { redis, server, commands, received, state, inbox, push };
  }

  it("are received each when it comes, in order", async () => {
    const { commands, received, push } = await start();
    expect(commands).toEqual([["blpop", "inbox", 1]]);
    await push("a");
    expect(received).toEqual(["a"]);
    await push("b", "c");
    expect(received).toEqual(["a", "b", "c"]);
    expect(commands).toEqual(Array.from({ length: 5 }, () => ["blpop", "inbox", 1]));
  });

  it("are read by four commands at once, and by the next four while the last one waits", async () => {
    const { redis, push } = await start();
    expect(redis.pipelines).toEqual([4]);
    await push("a", "b");
    expect(redis.pipelines).toEqual([4]);
    await push("c");
    expect(redis.pipelines).toEqual([4, 4]);
  });

  it("are received together when there are many", async () => {
    const { state, commands, received, push, redis } = await start();
    state.busy = true;
    await push("a", "b", "c", "d");
    await pass(0);
    commands.length = 0;
    await push(...Array.from({ length: 66 }, (_, i) => `m${i}`));
    expect(received).toEqual([..."abcd", ...Array.from({ length: 66 }, (_, i) => `m${i}`)]);
    expect(commands).toContainEqual(["lpop", "inbox", 64]);
    expect(redis.pipelines.at(-1)).toBe(2);
  });

  it("are waited for again when none came", async () => {
    const { received, push, redis, state } = await start();
    await pass(10_000);
    expect(redis.pipelines).toEqual([4, 4, 4, 4]);
    await push("a");
    state.busy = true;
    await pass(4000);
    redis.pipelines.length = 0;
    await pass(5000);
    expect(redis.pipelines).toEqual([2, 2, 2, 2, 2]);
    await push("b", "c");
    expect(received).toEqual(["a", "b", "c"]);
  });

  describe("are listened for", () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    });

    it.each(["each", "together"])("since the beginning while Redis answers, %s", async (how) => {
      const { state, inbox, push, server } = await start();
      const began = inbox.listeningSince();
      state.busy = how === "together";
      await push("a", "b", "c", "d");
      await pass(10_000);
      expect(inbox.listeningSince()).toBe(began);
      // Shorter than what counts as a break.
      server.fails = true;
      await pass(1000);
      server.fails = false;
      await pass(1500);
      expect(inbox.listeningSince()).toBe(began);
    });

    it.each(["each", "together"])("since Redis answers again, %s", async (how) => {
      const { state, inbox, push, server } = await start();
      const began = inbox.listeningSince();
      state.busy = how === "together";
      await push("a", "b", "c", "d");
      server.fails = true;
      await pass(5000);
      expect(inbox.listeningSince()).toBe(performance.now());
      server.fails = false;
      await push("e");
      await pass(50);
      const back = inbox.listeningSince();
      expect(back).toBeGreaterThan(began + 4900);
      expect(back).toBeLessThanOrEqual(performance.now());
      await pass(10_000);
      expect(inbox.listeningSince()).toBe(back);
    });
  });

  it("are received though the first command found none", async () => {
    const { server, state, received, push } = await start();
    state.busy = true;
    await push("a", "b", "c", "d");
    server.misses = true;
    await push("e");
    await push("f", "g");
    expect(received).toEqual([..."abcdefg"]);
  });

  it.each(["each", "together"])("are received after an error of Redis, %s", async (how) => {
    const { server, state, received, push, commands } = await start();
    state.busy = how === "together";
    server.fails = true;
    await push("a", "b", "c", "d");
    await pass(1000);
    commands.length = 0;
    await pass(500);
    // Not more often than every 50 ms.
    expect(commands.filter(([name]) => name === "blpop").length).toBeLessThanOrEqual(44);
    expect(commands.length).toBeGreaterThanOrEqual(9);
    server.fails = false;
    await push("e");
    await pass(50);
    expect(received).toEqual(expect.arrayContaining(["e"]));
  });

  it.each(["each", "together"])(
    "come from a new connection when the server has become a replica, %s",
    async (how) => {
      const { redis, server, state, received, push } = await start();
      state.busy = how === "together";
      await push("a", "b", "c", "d");
      server.readOnly = true;
      await push("e");
      server.readOnly = false;
      await pass(200);
      expect(redis.clients.map(({ disconnected }) => disconnected)).toEqual([true, false]);
      await push("f");
      expect(received).toEqual([..."abcdef"]);
    },
  );

  it("are received when only the second command fails", async () => {
    const { server, state, received, push } = await start();
    state.busy = true;
    await push("a", "b", "c", "d");
    server.popFails = true;
    await push("e");
    server.popFails = false;
    await pass(60);
    await push("f");
    expect(received).toEqual(expect.arrayContaining(["f"]));
  });

  it.each([
    ["each", 5500],
    ["together", 2500],
  ])("come from a new connection when the reads do not end, %s", async (how, ms) => {
    const { redis, server, state, push, received } = await start();
    state.busy = how === "together";
    await push("a", "b", "c", "d");
    server.hangs = true;
    await push("e");
    const connections = redis.clients.length;
    await pass(ms - 1);
    expect(redis.clients.length).toBe(connections);
    server.hangs = false;
    await pass(100);
    expect([redis.clients.length, redis.clients.at(-2)?.disconnected]).toEqual([connections + 1, true]);
    await push("f");
    expect(received).toEqual([..."abcdef"]);
  });

  it("may be lost with a connection, which is reported for each but the first", async () => {
    const { redis, state } = await start();
    expect(state.reconnects).toBe(0);
    redis.clients[0]!.emit("close");
    await pass(60);
    expect([redis.clients.length, state.reconnects]).toEqual([2, 1]);
  });

  it("are waited for without a connection", async () => {
    const { redis, state, received, push } = await start();
    redis.prepare((client: ScriptedClient) => {
      client.onConnect = async () => {
        throw new Error("no route");
      };
    });
    redis.clients[0]!.emit("close");
    await pass(10_000);
    redis.prepare(() => {});
    await pass(1100);
    await push("a");
    expect([received, state.reconnects]).toEqual([["a"], 1]);
  });

  it("are not read any more when it is closed, which ends all timers", async () => {
    const { redis, inbox, commands } = await start();
    await pass(10_000);
    inbox.close();
    await pass(2000);
    const before = commands.length;
    await pass(10_000);
    expect([commands.length, redis.clients.length, redis.clients[0]!.disconnected]).toEqual([
      before,
      1,
      true,
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
