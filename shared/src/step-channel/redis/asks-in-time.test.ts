import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerTo, reset, step } from "../step-channel.contract.ts";
import { createAsks } from "./asks.ts";

const never = new AbortController().signal;

describe("requests without an answer", () => {
  let closing: (() => void)[] = [];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
  });
  afterEach(() => {
    for (const close of closing) close();
    closing = [];
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  /** Requests to sessions that all have the server `redis.server`. */
  function start() {
    const redis = { server: "p/1", fails: false, gate: Promise.resolve() };
    const began = performance.now();
    const batches: { session: string; message: string }[][] = [];
    /** When a request was sent, and its number. */
    const sent: [ms: number, id: string][] = [];
    const looked: string[][] = [];
    const asks = createAsks({
      process: "me",
      async send(requests) {
        batches.push([...requests]);
        for (const { message } of requests) sent.push([performance.now() - began, JSON.parse(message)[1]]);
        if (redis.fails) throw new Error("no Redis");
        return requests.map(() => redis.server);
      },
      async servers(sessions) {
        looked.push([...sessions]);
        await redis.gate;
        if (redis.fails) throw new Error("no Redis");
        return sessions.map(() => redis.server);
      },
    });
    closing.push(() => asks.close(new Error("the test ends")));
    function ask(session: string, n = 1, signal = never) {
      const promise = asks.ask(session, step(n), signal);
      promise.catch(() => {});
      return promise;
    }
    return { redis, asks, ask, batches, sent, looked, times: () => sent.map(([ms]) => ms) };
  }

  it("are sent together, and get the answers that name them", async () => {
    const { asks, ask, batches } = start();
    const answers = [ask("s", 1), ask("t", 2)];
    await pass(0);
    expect(
      batches.map((batch) => batch.map(({ session, message }) => [session, JSON.parse(message)])),
    ).toEqual([
      [
        ["s", ["ask", "me/1", "me", "s", step(1)]],
        ["t", ["ask", "me/2", "me", "t", step(2)]],
      ],
    ]);
    expect(asks.size).toBe(2);
    asks.answered("me/2", answerTo(step(2)));
    asks.answered("me/7", answerTo(step(7)));
    expect(await answers[1]).toEqual(answerTo(step(2)));
    asks.answered("me/2", answerTo(step(2)));
    expect(asks.size).toBe(1);
    asks.answered("me/1", answerTo(step(1)));
    expect(await answers[0]).toEqual(answerTo(step(1)));
  });

  it("are sent in batches of 200, or of a megabyte", async () => {
    const { asks, batches } = start();
    for (let n = 1; n <= 201; n++) void asks.ask("s", step(n), never).catch(() => {});
    await pass(0);
    for (const n of [1, 2, 3]) void asks.ask("s", step(n, "x".repeat(600_000)), never).catch(() => {});
    await pass(0);
    expect(batches.map(({ length }) => length)).toEqual([200, 1, 2, 1]);
  });

  it("are sent again to the same server after twice as long each time, up to eight seconds", async () => {
    const { ask, times } = start();
    void ask("s");
    await pass(30_000);
    expect(times()).toEqual([0, 500, 1500, 3500, 7500, 15_500, 23_500]);
  });

  it("are sent to a new server within 250 ms, once they are as old", async () => {
    const { redis, ask, times, looked } = start();
    await pass(100);
    void ask("s");
    await pass(50);
    redis.server = "p/2";
    await pass(349);
    expect([times(), looked]).toEqual([[100], []]);
    await pass(1);
    expect([times(), looked]).toEqual([[100, 500], [["s"]]]);
    // The next repetition comes as early as the first one would.
    await pass(500);
    expect(times()).toEqual([100, 500, 1000]);
  });

  it("wait while their session has no server, and are sent when it has one", async () => {
    const { redis, ask, times, looked } = start();
    redis.server = "";
    void ask("s");
    await pass(10_000);
    expect([times(), looked.length]).toEqual([[0], 40]);
    redis.server = "p/1";
    await pass(250);
    expect(times()).toEqual([0, 10_250]);
  });

  it("are sent again when Redis is reachable again", async () => {
    const { redis, ask, times, looked } = start();
    redis.fails = true;
    void ask("s");
    await pass(300);
    redis.fails = false;
    await pass(200);
    expect([times(), looked.length]).toEqual([[0, 500], 2]);
    const again = start();
    void again.ask("s");
    await pass(100);
    again.redis.fails = true;
    again.asks.repeat();
    await pass(0);
    again.redis.fails = false;
    await pass(400);
    expect(again.times()).toEqual([0, 100, 500]);
    const other = start();
    other.redis.fails = true;
    void other.ask("s");
    await pass(100);
    other.redis.fails = false;
    await pass(150);
    // Sooner than when it had been sent.
    expect(other.times()).toEqual([0, 250]);
  });

  it("are not looked after while there are none, nor twice at once", async () => {
    const { redis, asks, ask, looked } = start();
    await pass(1000);
    expect(looked).toEqual([]);
    const gate = Promise.withResolvers<void>();
    redis.gate = gate.promise;
    const answered = ask("s");
    void ask("t");
    await pass(2000);
    expect(looked).toEqual([["s", "t"]]);
    redis.server = "p/2";
    asks.answered("me/1", answerTo(step(1)));
    await answered;
    gate.resolve();
    await pass(0);
    await pass(250);
    expect(looked).toEqual([["s", "t"], ["t"]]);
  });

  it("are not sent again when their answer comes while the servers are read", async () => {
    const { redis, asks, ask, sent } = start();
    const gate = Promise.withResolvers<void>();
    redis.gate = gate.promise;
    void ask("s");
    const second = ask("t");
    await pass(250);
    redis.server = "p/2";
    asks.answered("me/2", answerTo(step(1)));
    await second;
    gate.resolve();
    await pass(0);
    expect(sent.map(([, id]) => id)).toEqual(["me/1", "me/2", "me/1"]);
  });

  it("are sent to the grader that begins to serve their session, or all again", async () => {
    const { asks, ask, batches } = start();
    for (const session of ["s", "t", "s"]) void ask(session);
    await pass(0);
    asks.served("s");
    await pass(0);
    asks.repeat();
    await pass(0);
    expect(batches.map((batch) => batch.map(({ session }) => session))).toEqual([
      ["s", "t", "s"],
      ["s", "s"],
      ["s", "t", "s"],
    ]);
  });

  it("end with the reason of the abort, and listen no longer", async () => {
    const { asks, ask, sent } = start();
    await expect(asks.ask("s", reset(1), AbortSignal.abort("before"))).rejects.toBe("before");
    const abort = new AbortController();
    const listens = vi.spyOn(abort.signal, "addEventListener");
    const forgets = vi.spyOn(abort.signal, "removeEventListener");
    const waiting = ask("s", 1, abort.signal);
    await pass(0);
    abort.abort("waiting");
    await expect(waiting).rejects.toBe("waiting");
    expect(forgets.mock.calls).toEqual(listens.mock.calls);
    await pass(10_000);
    expect([sent, asks.size]).toEqual([[[0, "me/1"]], 0]);
  });

  it("are rejected when it is closed, which ends all timers", async () => {
    const { asks, ask } = start();
    const waiting = [ask("s"), ask("t")];
    asks.close(new Error("closed"));
    for (const one of waiting) await expect(one).rejects.toThrow("closed");
    expect([asks.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
