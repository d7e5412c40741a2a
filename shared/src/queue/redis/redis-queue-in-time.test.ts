import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobOf, reportOf } from "../contract/samples.ts";
import type { Delivery, JobQueue } from "../job-queue.ts";
import { CANCEL, EXCHANGE, PUBLISH } from "./job-scripts.ts";
import { ATTACHED, RENEW_LEASES, TIDY } from "./lease-scripts.ts";
import { CHECK_EPOCH, INFO, KNOWN } from "./recovery-scripts.ts";
import { createRedisQueue } from "./redis-queue.ts";
import { READ_REPORTS, REPORT } from "./report-scripts.ts";
import { createScriptedRedis, type ScriptedClient } from "./testing/scripted-redis.ts";

const FIT = ["redis_version:7.0.0\r\n", "maxmemory_policy:noeviction\r\n"];
const UNFIT = ["redis_version:7.0.0\r\n", "maxmemory_policy:allkeys-lru\r\n"];

describe("a queue on Redis", () => {
  let open: JobQueue[] = [];
  beforeEach(async () => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
    await vi.advanceTimersByTimeAsync(100_000);
  });
  afterEach(async () => {
    for (const queue of open) void queue.close();
    open = [];
    await vi.advanceTimersByTimeAsync(20_000);
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  async function start({
    prepare = (_: ScriptedClient) => {},
    leaseMs = undefined as number | undefined,
  } = {}) {
    const redis = createScriptedRedis();
    redis.prepare(prepare);
    const server = { info: FIT, fails: false };
    const calls: unknown[][] = [];
    redis.answer(INFO, () => {
      if (server.fails) throw new Error("ERR no");
      return server.info;
    });
    const scripts = { PUBLISH, CANCEL, TIDY, REPORT };
    for (const [name, script] of Object.entries(scripts))
      redis.answer(script, (args) => {
        calls.push([name, ...args]);
        if (server.fails) throw new Error("ERR no");
      });
    redis.answer(RENEW_LEASES, (args) => {
      calls.push(["RENEW_LEASES", args[2]]);
      return [performance.now(), "c"];
    });
    redis.answer(EXCHANGE, () => [0, []]);
    redis.answer("xreadgroup", () => new Promise((resolve) => setTimeout(resolve, 500, null)));
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const queue = await createRedisQueue({
      ...{ redis: redis.redis, log: { info: note, warn: note, error: note } },
      ...(leaseMs === undefined ? {} : { leaseMs }),
    });
    open.push(queue);
    const of = (name: string) => calls.filter(([one]) => one === name);
    return { redis, queue, server, calls, of, logged };
  }
  function attach(queue: JobQueue, handle: (delivery: Delivery) => Promise<void> = async () => {}) {
    const stop = new AbortController();
    const state = { ended: false, stop: () => stop.abort() };
    const consumption = { grader: "g", challenges: () => ["iris"], concurrency: 1, signal: stop.signal };
    void queue.consume(consumption, handle).then(() => {
      state.ended = true;
    });
    return state;
  }
  function outcomeOf(promise: Promise<unknown>) {
    const result: { outcome: unknown } = { outcome: "pending" };
    promise.then(
      () => {
        result.outcome = "done";
      },
      (error: Error) => {
        result.outcome = "code" in error ? error.code : error.message;
      },
    );
    return result;
  }

  it("is rejected when its server would lose jobs", async () => {
    const redis = createScriptedRedis();
    redis.answer(INFO, () => UNFIT);
    const logged: object[] = [];
    const note = (about: object) => void logged.push(about);
    await expect(
      createRedisQueue({ redis: redis.redis, log: { info: note, warn: note, error: note } }),
    ).rejects.toMatchObject({ code: "redis_unfit" });
    expect([redis.clients[0]?.disconnected, logged]).toMatchObject([true, [{ event: "redis_unfit" }]]);
  });

  it.each(["WRONGPASS invalid", "NOAUTH required", "NOPERM no right"])(
    "is rejected after %s",
    async (message) => {
      const prepare = (client: ScriptedClient) => {
        client.onConnect = async () => {
          throw new Error(message);
        };
      };
      await expect(start({ prepare })).rejects.toMatchObject({
        code: "redis_unfit",
        message: expect.stringContaining(message),
        next: expect.stringContaining("REDIS_URL"),
      });
    },
  );

  it("starts while Redis is unreachable, or cannot be checked", async () => {
    const prepare = (client: ScriptedClient) => {
      client.onConnect = async () => {
        throw new Error("no route");
      };
    };
    const { queue, logged } = await start({ prepare });
    expect([logged, queue.name]).toEqual([["redis_unreachable"], "Redis"]);
    const redis = createScriptedRedis();
    redis.answer(INFO, () => {
      throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    });
    const log = { info() {}, warn() {}, error: vi.fn() };
    const other = await createRedisQueue({ redis: redis.redis, log, name: "a name" });
    open.push(other);
    expect([other.name, log.error.mock.calls]).toEqual(["a name", []]);
  });

  it("publishes jobs together, by their queue and escaped fair key", async () => {
    const { queue, calls } = await start();
    const job = jobOf("a", { attempt: 2, fair_key: "x:y z" } as object);
    await Promise.all([queue.publish(job), queue.publish(jobOf("b"))]);
    expect(calls).toHaveLength(1);
    const [name, ...args] = calls[0]!;
    expect([name, args.length, args[0], args[1], args[2], args[4]]).toEqual([
      "PUBLISH",
      10,
      "a",
      2,
      "iris",
      JSON.stringify(job),
    ]);
    expect(args[3]).not.toMatch(/[: ]/);
    expect(args.slice(5, 8)).toEqual(["b", 1, "iris"]);
  });

  it("publishes 200 jobs, or a megabyte, at once", async () => {
    const { queue, of } = await start();
    await Promise.all(Array.from({ length: 201 }, (_, i) => queue.publish(jobOf(`s${i}`))));
    const large = jobOf("large", { input: { kind: "inline", data: "x".repeat(600_000) } });
    await Promise.all([1, 2, 3].map(() => queue.publish(large)));
    expect(of("PUBLISH").map(({ length }) => (length - 1) / 5)).toEqual([200, 1, 2, 1]);
  });

  it("publishes nothing to a server that became unfit, until a fit one is found", async () => {
    const { queue, redis, server, logged } = await start();
    server.info = UNFIT;
    redis.clients[0]!.emit("close");
    await pass(60);
    const refused = outcomeOf(queue.publish(jobOf("a")));
    await pass(0);
    expect([refused.outcome, logged.includes("redis_unfit")]).toEqual(["redis_unfit", true]);
    server.fails = true;
    redis.clients[1]!.emit("close");
    await pass(60);
    server.fails = false;
    const still = outcomeOf(queue.publish(jobOf("a")));
    await pass(0);
    server.info = FIT;
    redis.clients[2]!.emit("close");
    await pass(60);
    await queue.publish(jobOf("a"));
    expect(still.outcome).toBe("redis_unfit");
  });

  it("removes dead graders every ten seconds, once it has had one", async () => {
    const { queue, of } = await start();
    await pass(30_000);
    expect(of("TIDY")).toEqual([]);
    attach(queue);
    attach(queue);
    await pass(9999);
    expect(of("TIDY")).toEqual([]);
    await pass(1);
    expect(of("TIDY")).toEqual([["TIDY", expect.any(String), expect.any(String)]]);
    await queue.close();
    await pass(30_000);
    expect(of("TIDY")).toHaveLength(1);
  });

  it("continues after a tidying that failed", async () => {
    const { queue, of, server } = await start();
    attach(queue);
    server.fails = true;
    await pass(20_000);
    expect(of("TIDY")).toHaveLength(2);
  });

  it("renews leases of seven seconds, or as configured, and again when it is connected again", async () => {
    const { queue, of, redis } = await start();
    attach(queue);
    await pass(10);
    expect(of("RENEW_LEASES")).toEqual([["RENEW_LEASES", 7000]]);
    redis.clients[0]!.emit("close");
    await pass(100);
    expect(of("RENEW_LEASES")).toHaveLength(2);
    const short = await start({ leaseMs: 1000 });
    attach(short.queue);
    await pass(10);
    expect(short.of("RENEW_LEASES")).toEqual([["RENEW_LEASES", 1000]]);
  });

  it("withdraws a job of each of its graders that is cancelled elsewhere", async () => {
    const { queue, redis } = await start();
    const signals: AbortSignal[] = [];
    const texts = [JSON.stringify(jobOf("a"))];
    redis.answer(EXCHANGE, () => [0, texts.splice(0).map((text) => ["iris", "1-0", 1, text])]);
    const handle = ({ signal }: Delivery) => {
      signals.push(signal);
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    };
    const channels: unknown[] = [];
    redis.answer("subscribe", ([channel]) => void channels.push(channel));
    attach(queue, handle);
    attach(queue, handle);
    await pass(10);
    expect(channels).toEqual(["{crowdai}:control"]);
    for (const client of redis.clients) client.emit("message", "{crowdai}:control", "a 1");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("cancels a job", async () => {
    const { queue, of } = await start();
    await queue.cancel("a");
    expect(of("CANCEL")).toEqual([["CANCEL", "a"]]);
  });

  describe("and its reports", () => {
    async function unsent() {
      const started = await start();
      started.server.fails = true;
      return { ...started, send: () => outcomeOf(started.queue.report(reportOf("s", 1))) };
    }

    it("are given up after seconds when no grader is left to wait", async () => {
      const { send } = await unsent();
      const one = send();
      await pass(6000);
      expect(one.outcome).toBe("ERR no");
    });

    it("wait as long as a grader takes jobs", async () => {
      const { send, queue } = await unsent();
      const [a, b] = [attach(queue), attach(queue)];
      await pass(10);
      const one = send();
      a.stop();
      await pass(20_000);
      expect([one.outcome, a.ended]).toEqual(["pending", true]);
      b.stop();
      await pass(6000);
      expect(one.outcome).toBe("ERR no");
      // A new grader waits again.
      attach(queue);
      await pass(10);
      const other = send();
      await pass(20_000);
      expect(other.outcome).toBe("pending");
    });

    it("wait no longer when all graders are about to end", async () => {
      const { send, queue, redis } = await unsent();
      const texts = [JSON.stringify(jobOf("a"))];
      redis.answer(EXCHANGE, () => [0, texts.splice(0).map((text) => ["iris", "1-0", 1, text])]);
      const grader = attach(queue, () => new Promise(() => {}));
      await pass(10);
      const one = send();
      grader.stop();
      await pass(6000);
      expect([one.outcome, grader.ended]).toEqual(["ERR no", false]);
    });
  });

  it("lists the attached graders, and asks twice a second at most", async () => {
    const { queue, redis, server } = await start({ leaseMs: 2000 });
    let asked = 0;
    const about = { grader: "g", challenges: ["iris"], concurrency: 1 };
    redis.answer(ATTACHED, (args) => {
      expect(args).toEqual([]);
      asked++;
      if (server.fails) throw new Error("ERR no");
      return [JSON.stringify({ ...about, advances: true })];
    });
    expect([await queue.attached(), await queue.attached(), asked]).toEqual([[about], [about], 1]);
    await pass(500);
    await queue.attached();
    expect(asked).toBe(1);
    await pass(1);
    await queue.attached();
    expect(asked).toBe(2);
    // The last known list counts for a lease.
    server.fails = true;
    await pass(2000);
    expect([await queue.attached(), asked]).toEqual([[about], 3]);
    await pass(1);
    expect(await queue.attached()).toEqual([]);
    redis.clients[0]!.emit("close");
    await queue.attached();
    expect(asked).toBe(4);
  });

  it("lists no graders before it is connected, and does not wait for it", async () => {
    const prepare = (client: ScriptedClient) => {
      client.onConnect = async () => {
        throw new Error("no route");
      };
    };
    const { queue } = await start({ prepare });
    expect(await queue.attached()).toEqual([]);
  });

  it("gives graders five sevenths of a lease to report their jobs when it is rebuilt", async () => {
    const { queue, redis } = await start();
    const states = ["flushed"];
    redis.answer(CHECK_EPOCH, () => [states.shift() ?? "ok", "run", states.length === 0 ? 1 : 0]);
    redis.answer(KNOWN, () => []);
    const stop = new AbortController();
    const at: number[] = [];
    const step = async () => void at.push(performance.now());
    const ended = outcomeOf(queue.recover({ republish: step, restart: step }, stop.signal));
    await pass(5500);
    expect(at[1]! - at[0]!).toBe(5000);
    stop.abort();
    await pass(0);
    expect(ended.outcome).toBe("done");
  });

  it("closes its connections, after its graders and readers have ended", async () => {
    const { queue, redis } = await start();
    redis.answer(READ_REPORTS, () => 1);
    redis.answer("xread", () => new Promise((resolve) => setTimeout(resolve, 40, null)));
    const signals: AbortSignal[] = [];
    const texts = [JSON.stringify(jobOf("a"))];
    redis.answer(EXCHANGE, () => [0, texts.splice(0).map((text) => ["iris", "1-0", 1, text])]);
    const grader = attach(queue, ({ signal }) => {
      signals.push(signal);
      return new Promise((resolve) => setTimeout(resolve, 100));
    });
    const receiving = outcomeOf(queue.receive(async () => {}, new AbortController().signal));
    await pass(10);
    const closed = outcomeOf(queue.close());
    expect(signals[0]?.aborted).toBe(true);
    await pass(50);
    expect([closed.outcome, receiving.outcome, redis.clients[0]?.disconnected]).toEqual([
      "pending",
      "done",
      false,
    ]);
    await pass(50);
    expect([closed.outcome, grader.ended]).toEqual(["done", true]);
    expect([redis.clients.every(({ disconnected }) => disconnected), vi.getTimerCount()]).toEqual([true, 0]);
    const late = [outcomeOf(queue.publish(jobOf("b"))), outcomeOf(queue.report(reportOf("s", 1)))];
    await pass(0);
    expect(late.map(({ outcome }) => outcome)).toEqual(["The queue is closed.", "The queue is closed."]);
  });

  it("closes when a report that is being applied is applied", async () => {
    const { queue, redis } = await start();
    redis.answer(READ_REPORTS, () => 1);
    const replies = [[["stream", [["1-0", ["s", "s", "r", JSON.stringify(reportOf("s", 1))]]]]]];
    redis.answer("xread", () => replies.shift() ?? new Promise((resolve) => setTimeout(resolve, 500, null)));
    const apply = () => new Promise<void>((resolve) => setTimeout(resolve, 100));
    void queue.receive(apply, new AbortController().signal);
    await pass(10);
    const closed = outcomeOf(queue.close());
    await pass(80);
    expect([closed.outcome, redis.clients[0]?.disconnected]).toEqual(["pending", false]);
    await pass(20);
    expect([closed.outcome, redis.clients[0]?.disconnected]).toEqual(["done", true]);
  });

  it("waits three seconds for them", async () => {
    const { queue, redis } = await start();
    const texts = [JSON.stringify(jobOf("a"))];
    redis.answer(EXCHANGE, () => [0, texts.splice(0).map((text) => ["iris", "1-0", 1, text])]);
    attach(queue, () => new Promise(() => {}));
    await pass(10);
    const closed = outcomeOf(queue.close());
    await pass(2999);
    expect(closed.outcome).toBe("pending");
    await pass(1);
    expect(closed.outcome).toBe("done");
  });
});
