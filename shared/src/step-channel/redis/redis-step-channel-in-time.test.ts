import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createScriptedRedis, type ScriptedClient } from "../../queue/redis/testing/scripted-redis.ts";
import { answerTo, echo, entryOf, reset, step } from "../step-channel.contract.ts";
import type { StepChannel } from "../step-channel.ts";
import { createRedisStepChannel } from "./redis-step-channel.ts";
import { LEAVE, REFRESH, REPLY, SEND, SERVE } from "./scripts.ts";

const never = new AbortController().signal;

describe("a step channel on Redis", () => {
  let channels: StepChannel[] = [];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
  });
  afterEach(async () => {
    for (const channel of channels) void channel.close();
    channels = [];
    await vi.advanceTimersByTimeAsync(20_000);
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start(prefix?: string) {
    const redis = createScriptedRedis();
    const server = {
      /** The server of each session. */
      of: "you/1" as string | null,
      fails: false,
      /** Whether sessions are still served here. */
      kept: 1,
      journal: [] as string[],
      submitted: 0,
    };
    const calls: unknown[][] = [];
    const inbox: string[] = [];
    let wake = () => {};
    const note =
      (name: string, reply: (args: readonly unknown[]) => unknown) => (args: readonly unknown[]) => {
        calls.push([name, ...args]);
        if (server.fails) throw new Error("ERR no");
        return reply(args);
      };
    redis.answer(
      SEND,
      note("SEND", (args) => args.slice(1, (args.length + 1) / 2).map(() => server.of ?? "")),
    );
    redis.answer(
      SERVE,
      note("SERVE", () => server.journal.at(-1) ?? null),
    );
    redis.answer(
      REPLY,
      note("REPLY", (args) => Array.from({ length: args.length / 6 }, () => server.kept)),
    );
    redis.answer(
      REFRESH,
      note("REFRESH", (args) => Array.from({ length: args.length / 3 }, () => server.kept)),
    );
    redis.answer(
      LEAVE,
      note("LEAVE", () => null),
    );
    redis.answer(
      "mget",
      note("mget", ([keys]) => (keys as string[]).map(() => server.of)),
    );
    redis.answer(
      "lrange",
      note("lrange", () => server.journal),
    );
    redis.answer(
      "exists",
      note("exists", () => server.submitted),
    );
    redis.answer(
      "del",
      note("del", () => 0),
    );
    redis.answer(
      "lpop",
      note("lpop", () => null),
    );
    redis.answer("blpop", async ([key]) => {
      calls.push(["blpop", key]);
      if (inbox.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 1000);
        });
      const found = inbox.shift();
      return found === undefined ? null : [key, found];
    });
    const log = { info() {}, warn() {}, error() {} };
    const channel = createRedisStepChannel({
      ...{ redis: redis.redis, log },
      ...(prefix === undefined ? {} : { prefix }),
    });
    channels.push(channel);
    const of = (name: string) => calls.filter(([one]) => one === name).map(([, ...args]) => args);
    async function push(...message: unknown[]): Promise<void> {
      inbox.push(JSON.stringify(message));
      wake();
      await pass(0);
    }
    return { redis, server, calls, of, channel, push };
  }

  function outcomeOf(promise: Promise<unknown>) {
    const result: { outcome: unknown } = { outcome: "pending" };
    promise.then(
      (value) => {
        result.outcome = value;
      },
      (error: Error) => {
        result.outcome = error.message;
      },
    );
    return result;
  }

  it("says since when it listens for a session's requests", async () => {
    const { redis, channel } = start();
    await pass(1000);
    const began = performance.now();
    const serving = await channel.serve("s", echo);
    await pass(10_000);
    expect(serving.reachableSince()).toBe(began);
    redis.answer("blpop", () => new Promise(() => {}));
    await pass(60_000);
    expect(serving.reachableSince()).toBe(performance.now());
  });

  it("connects when it is first used, twice", async () => {
    const { redis, channel, of } = start();
    await pass(1000);
    expect(redis.clients).toEqual([]);
    for (const session of ["s", "t"]) void channel.ask(session, step(1), never).catch(() => {});
    await pass(0);
    expect([redis.clients.length, of("SEND").length]).toEqual([2, 1]);
  });

  it.each([
    [undefined, "{crowdai}"],
    ["x", "{x}"],
  ])("asks, and reads its own inbox below %s", async (prefix, base) => {
    const { channel, of, push, redis } = start(prefix);
    const answer = outcomeOf(channel.ask("s", step(1), never));
    void channel.ask("t", step(2), never).catch(() => {});
    await pass(0);
    const [[process, ...requests]] = of("SEND") as [[string, ...unknown[]]];
    const message = JSON.stringify(["ask", `${process}/1`, process, "s", step(1)]);
    expect(requests).toEqual(["s", message, "t", expect.any(String)]);
    expect(process).toMatch(/^[0-9a-f-]{36}$/);
    expect([of("blpop")[0], redis.bases]).toEqual([[`${base}:steps:inbox:${process}`], new Set([base])]);
    await push("answer", `${process}/1`, answerTo(step(1)));
    expect(answer.outcome).toEqual(answerTo(step(1)));
  });

  it("sends a request when its session is announced, or its server is found", async () => {
    const { server, channel, of, push } = start("x");
    server.of = "-";
    void channel.ask("s", step(1), never).catch(() => {});
    await pass(0);
    await push("served", "another");
    await push("served", "s");
    expect(of("SEND")).toHaveLength(2);
    const looked = of("mget").length;
    await pass(1000);
    server.of = null;
    await pass(1000);
    expect(of("SEND")).toHaveLength(2);
    expect(of("mget").length).toBe(looked + 8);
    expect(of("mget").at(-1)).toEqual([["{x}:steps:server:s"]]);
    server.of = "you/2";
    await pass(250);
    expect(of("SEND")).toHaveLength(3);
  });

  it("sends all requests again when the connection of the inbox is back", async () => {
    const { redis, channel, of } = start();
    void channel.ask("s", step(1), never).catch(() => {});
    await pass(0);
    redis.clients[1]!.emit("close");
    await pass(60);
    expect(of("SEND")).toHaveLength(2);
    await pass(100);
    expect(of("SEND")).toHaveLength(2);
  });

  it("serves a session: claims it, records and sends its answers, and leaves it", async () => {
    const { channel, of, push } = start();
    const serving = await channel.serve("s", async (request) => ({
      answer: answerTo(request),
      entry: entryOf(request),
    }));
    const [[me, ...claim]] = of("SERVE") as [[string, ...unknown[]]];
    expect(claim).toEqual(["s", JSON.stringify(["served", "s"])]);
    await push("ask", "you/1", "you", "s", step(1));
    await push("ask", "you/1", "you", "s", step(1));
    const reply = [me, "s", "you", JSON.stringify(["answer", "you/1", answerTo(step(1))])];
    const element = JSON.stringify(["you/1", entryOf(step(1))]);
    expect(of("REPLY")).toEqual([
      [...reply, element, "0"],
      [...reply, element, "1"],
    ]);
    await serving[Symbol.asyncDispose]();
    expect(of("LEAVE")).toEqual([[me, "s"]]);
  });

  it("names the request that its journal has recorded last", async () => {
    const { server, channel, of, push } = start();
    server.journal = [JSON.stringify(["you/1", entryOf(step(140))])];
    await channel.serve("s", echo);
    await push("ask", "you/1", "you", "s", { type: "step", action: 7 });
    expect(of("REPLY")[0]![3]).toContain("140");
  });

  it("keeps its sessions every five seconds, and when the connection is back", async () => {
    const { redis, server, channel, of } = start();
    const first = await channel.serve("s", echo);
    await channel.serve("t", echo);
    await pass(5000);
    const [me, other] = of("SERVE").map(([one]) => one);
    const all = [me, "s", JSON.stringify(["served", "s"]), other, "t", JSON.stringify(["served", "t"])];
    expect(of("REFRESH")).toEqual([all]);
    redis.clients[0]!.emit("close");
    await pass(60);
    expect([of("REFRESH"), first.lost.aborted]).toEqual([[all, all], false]);
    server.kept = 0;
    await pass(5000);
    expect(first.lost.aborted).toBe(true);
  });

  it("loses a session whose answer another grader would have to give", async () => {
    const { server, channel, push } = start();
    const serving = await channel.serve("s", echo);
    server.kept = 0;
    await push("ask", "you/1", "you", "s", step(1));
    expect(serving.lost.aborted).toBe(true);
  });

  it("reads several messages at once when more than two requests and sessions are open", async () => {
    const { channel, of } = start();
    await channel.serve("s", echo);
    void channel.ask("t", step(1), never).catch(() => {});
    await pass(20_000);
    expect(of("lpop")).toEqual([]);
    await channel.serve("u", echo);
    await pass(20_000);
    expect(of("lpop").length).toBeGreaterThan(5);
  });

  it("reads a journal, with the submit that ends it", async () => {
    const { server, channel, of } = start("x");
    server.journal = [reset(1), step(1)].map((request, i) => JSON.stringify([`you/${i}`, entryOf(request)]));
    expect(await channel.journal("s")).toEqual([reset(1), step(1)].map(entryOf));
    server.submitted = 1;
    expect(await channel.journal("s")).toEqual([...[reset(1), step(1)].map(entryOf), { type: "submit" }]);
    expect([of("lrange")[0], of("exists")[0]]).toEqual([
      ["{x}:steps:journal:s", 0, -1],
      ["{x}:steps:submitted:s"],
    ]);
  });

  it("forgets a session", async () => {
    const { channel, of } = start("x");
    await channel.forget("s");
    expect(of("del")).toEqual([
      ["journal", "submitted", "waiting", "owner"].map((kind) => `{x}:steps:${kind}:s`),
    ]);
  });

  it("tries for ten seconds to serve, read or forget a session, every 200 ms", async () => {
    const { server, channel, of } = start();
    server.fails = true;
    const outcomes = [channel.serve("s", echo), channel.journal("s"), channel.forget("s")].map(outcomeOf);
    await pass(10_000);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["pending", "pending", "pending"]);
    expect(of("SERVE")).toHaveLength(51);
    await pass(400);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["ERR no", "ERR no", "ERR no"]);
    const again = outcomeOf(channel.forget("s"));
    await pass(1000);
    server.fails = false;
    await pass(200);
    expect(again.outcome).toBeUndefined();
  });

  it("tries no longer when it is closed", async () => {
    const { server, channel, of } = start();
    server.fails = true;
    const outcome = outcomeOf(channel.forget("s"));
    await pass(1000);
    await channel.close();
    await pass(0);
    const tried = of("del").length;
    await pass(5000);
    expect([outcome.outcome, of("del").length]).toEqual([expect.any(String), tried]);
  });

  it("rejects what waits when it is closed, and disconnects", async () => {
    const { redis, channel } = start();
    await channel.serve("s", echo);
    const waiting = outcomeOf(channel.ask("t", step(1), never));
    await pass(0);
    await channel.close();
    await pass(2000);
    expect(waiting.outcome).toContain("closed");
    expect(redis.clients.map(({ disconnected }: ScriptedClient) => disconnected)).toEqual([true, true]);
    expect(vi.getTimerCount()).toBe(0);
    for (const use of [
      () => channel.ask("s", step(1), never),
      () => channel.serve("s", echo),
      () => channel.journal("s"),
      () => channel.forget("s"),
    ])
      await expect(use()).rejects.toThrow("The step channel is closed.");
    expect(redis.clients).toHaveLength(2);
  });

  it("closes when it was never used", async () => {
    const { redis, channel } = start();
    await channel.close();
    expect(redis.clients).toEqual([]);
  });
});
