import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobOf } from "../contract/samples.ts";
import type { Delivery } from "../job-queue.ts";
import { createConsumer } from "./consumer.ts";
import { EXCHANGE } from "./job-scripts.ts";
import { CLAIM, RENEW_LEASES, RETURN_UNSEEN } from "./lease-scripts.ts";
import type { Client } from "./reconnecting-connection.ts";
import type { TakenReply } from "./running-jobs.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

interface Exchange {
  at: number;
  want: number;
  done: unknown[][];
  returned: unknown[][];
  adopted: unknown[][];
  /** Challenges, each with 1 when its group is known to exist. */
  challenges: unknown[][];
}

/** Each challenge has a second queue, which these tests leave out. */
const isOfSessions = (name: unknown) => String(name).endsWith("/sessions");

/** Cuts arguments into groups: a count, then so many groups; without a count, groups to the end. */
function exchangeOf(args: readonly (string | number)[]): Exchange {
  let at = 1;
  const groups = (size: number, count = args[at++] as number) => {
    const from = at;
    at += size * count;
    return Array.from({ length: count }, (_, i) => args.slice(from + size * i, from + size * (i + 1)));
  };
  const want = args[at++] as number;
  const [done, returned, adopted] = [groups(4), groups(4), groups(2)];
  const challenges = groups(2, (args.length - at) / 2).filter(([name]) => !isOfSessions(name));
  return { at: performance.now(), want, done, returned, adopted, challenges };
}

describe("a grader on Redis", () => {
  const closing = { now: () => {} };
  beforeEach(async () => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
    await vi.advanceTimersByTimeAsync(100_000);
  });
  afterEach(async () => {
    closing.now();
    await vi.advanceTimersByTimeAsync(20_000);
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const text = (submission: string) => JSON.stringify(jobOf(submission));
  let entries = 0;

  function start({ concurrency = 1, challenges = ["iris"], leaseMs = 7000, aborted = false } = {}) {
    const redis = createScriptedRedis();
    const client = redis.redis();
    const [stop, close] = [new AbortController(), new AbortController()];
    if (aborted) stop.abort();
    closing.now = () => close.abort();
    const server = {
      waiting: [] as TakenReply[],
      unread: [] as [challenge: string, id: string][],
      states: "ok",
      lost: 0,
      exchangeMs: 0,
      fails: false,
      claimable: [] as TakenReply[],
    };
    const exchanges: Exchange[] = [];
    const reads: unknown[][] = [];
    const returns: unknown[][] = [];
    const claims: number[] = [];
    let beats = 0;
    redis.answer(RENEW_LEASES, (args) => {
      beats++;
      return [performance.now(), "c", ...Array((args.length - 3) / 5).fill(server.states)];
    });
    redis.answer(EXCHANGE, async (args) => {
      const exchange = exchangeOf(args);
      exchanges.push(exchange);
      if (server.fails) throw new Error("no Redis");
      const adopted = exchange.adopted.map(
        ([challenge, id]): TakenReply => [challenge as string, id as string, 1, text(`adopted-${id}`)],
      );
      const taken = [...adopted, ...server.waiting.splice(0, exchange.want - adopted.length)];
      if (server.exchangeMs > 0) await new Promise((resolve) => setTimeout(resolve, server.exchangeMs));
      return [server.lost, taken];
    });
    redis.answer(CLAIM, ([, challenge]) => {
      if (isOfSessions(challenge)) return ["0-0", 0, []];
      claims.push(performance.now());
      return ["0-0", 0, server.claimable.splice(0)];
    });
    redis.answer(RETURN_UNSEEN, (args) => {
      returns.push(args.filter((arg) => !isOfSessions(arg)));
      if (server.fails) throw new Error("no Redis");
    });
    redis.answer("xreadgroup", async (args) => {
      reads.push(args.slice(8).filter((name) => !isOfSessions(name)));
      if (server.fails) throw new Error("ERR no");
      for (let waited = 0; waited < 500 && server.unread.length === 0; waited += 10)
        await new Promise((resolve) => setTimeout(resolve, 10));
      const [one] = server.unread.splice(0, 1);
      return one ? [[`{x}:jobs:${one[0]}`, [[one[1], []]]]] : null;
    });
    const connection = {
      ...{ connected: true, connectionNumber: 1, lastError: null, close() {} },
      use: <T>(work: (client: Client) => Promise<T>) => work(client),
    };
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const handled: { id: string; delivery: Delivery; end(): void; fail(): void }[] = [];
    const consumption = {
      ...{ grader: "g", concurrency, signal: stop.signal },
      challenges: () => challenges,
    };
    const consumer = createConsumer({
      ...{ redis: redis.redis, connection, base: "{x}", leaseMs, consumption, closing: close.signal },
      log: { info: note, warn: note, error: note },
      handle(delivery) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const fail = () => reject(new Error("returned"));
        handled.push({ id: delivery.job.submission, delivery, end: resolve, fail });
        return promise;
      },
    });
    const state = { ended: false };
    void consumer.ended.then(() => {
      state.ended = true;
    });
    const publish = (...submissions: string[]) => {
      for (const one of submissions) server.waiting.push([challenges[0]!, `${++entries}-0`, 1, text(one)]);
      return `${entries}-0`;
    };
    const ids = () => handled.map(({ id }) => id);
    return {
      ...{ redis, server, exchanges, reads, returns, claims, connection, logged, handled, consumer, state },
      ...{
        publish,
        ids,
        challenges,
        beats: () => beats,
        stop: () => stop.abort(),
        close: () => close.abort(),
      },
    };
  }

  it("takes as many jobs as it has slots, and reads no more", async () => {
    const { publish, ids, exchanges, reads } = start({ concurrency: 2 });
    publish("a", "b", "c");
    await pass(0);
    expect(ids()).toEqual(["a", "b"]);
    expect(exchanges.map(({ want, challenges }) => [want, challenges])).toEqual([[2, [["iris", 0]]]]);
    await pass(2000);
    expect([reads, exchanges.length]).toEqual([[], 1]);
  });

  it("settles a job that is done, and takes the next one in the same exchange", async () => {
    const { publish, handled, exchanges, ids, consumer } = start();
    const id = publish("a");
    publish("b");
    await pass(0);
    handled[0]!.end();
    await pass(0);
    expect(exchanges[1]).toMatchObject({ want: 1, done: [["iris", id, "a", 1]], returned: [], adopted: [] });
    expect(exchanges[1]!.challenges).toEqual([["iris", 1]]);
    expect([ids(), consumer.runningJobs.all().length]).toEqual([["a", "b"], 1]);
  });

  it("settles nothing but what has ended", async () => {
    const { publish, handled, exchanges, consumer } = start({ concurrency: 3 });
    publish("a", "b", "c");
    await pass(0);
    handled[1]!.end();
    handled[2]!.fail();
    await pass(0);
    const ended = exchanges.flatMap(({ done, returned }) => [
      done.map((one) => one[2]),
      returned.map((one) => one[2]),
    ]);
    expect(ended.flat()).toEqual(["b", "c"]);
    expect(consumer.runningJobs.all().map(({ job }) => job.submission)).toEqual(["a"]);
  });

  it("takes what it reads during an exchange with the next one", async () => {
    const { publish, server, handled, ids } = start({ concurrency: 2 });
    publish("a");
    await pass(20);
    server.exchangeMs = 100;
    handled[0]!.end();
    await pass(50);
    server.unread.push(["iris", "6-0"]);
    await pass(200);
    expect(ids()).toEqual(["a", "adopted-6-0"]);
  });

  it("returns nothing while a read may still bring a job", async () => {
    const { publish, server, handled, returns } = start({ concurrency: 2 });
    publish("a");
    await pass(10);
    server.fails = true;
    handled[0]!.end();
    await pass(300);
    server.fails = false;
    await pass(150);
    expect(returns).toEqual([]);
    await pass(60);
    expect(returns).toHaveLength(1);
  });

  it("blocks for the next job of an empty queue, and takes what it read", async () => {
    const { exchanges, reads, server, ids } = start({ challenges: ["iris", "other"] });
    await pass(5);
    expect([exchanges.length, reads]).toEqual([1, [["{x}:jobs:iris", "{x}:jobs:other", ">", ">", ">", ">"]]]);
    server.unread.push(["other", "7-0"]);
    await pass(10);
    expect([ids(), exchanges.length, exchanges[1]!.adopted]).toEqual([
      ["adopted-7-0"],
      2,
      [["other", "7-0"]],
    ]);
    await pass(2000);
    expect([exchanges.length, reads.length]).toEqual([2, 1]);
  });

  it("leaves a slot for the job that a read may bring", async () => {
    const { exchanges, reads, server, publish, handled } = start({ concurrency: 2 });
    publish("a");
    await pass(0);
    expect([exchanges.length, reads.length]).toEqual([1, 1]);
    server.unread.push(["iris", "8-0"]);
    handled[0]!.end();
    await pass(0);
    expect(exchanges[1]).toMatchObject({ want: 1, done: [expect.anything()] });
  });

  it("serves the challenge longest waited for first", async () => {
    const { publish, exchanges, handled, server, challenges } = start({ challenges: ["a", "b", "c"] });
    publish("first");
    await pass(0);
    handled[0]!.end();
    await pass(0);
    const order = () => exchanges.at(-1)!.challenges;
    expect(order()).toEqual([
      ["b", 1],
      ["c", 1],
      ["a", 1],
    ]);
    challenges.splice(0, 2, "d");
    server.unread.push(["c", "9-0"]);
    await pass(1000);
    handled[1]!.end();
    await pass(0);
    expect(order()).toEqual([
      ["d", 1],
      ["c", 1],
    ]);
  });

  it("waits for challenges when it has none", async () => {
    const { challenges, reads, publish, ids } = start({ challenges: [] });
    await pass(150);
    expect(reads).toEqual([]);
    challenges.push("iris");
    publish("a");
    await pass(100);
    expect(ids()).toEqual(["a"]);
  });

  it("backs off after it returned a job, longer after each, up to a second", async () => {
    const { publish, handled, exchanges } = start();
    const id = publish("a");
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      await pass(1001);
      const at = performance.now();
      handled.at(-1)!.fail();
      await pass(0);
      if (i === 0)
        expect(exchanges.at(-1)).toMatchObject({ want: 0, returned: [["iris", id, "a", 1]], challenges: [] });
      publish("a");
      await pass(1000);
      pauses.push(exchanges.at(-1)!.at - at);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    // One that is done ends the row.
    handled.at(-1)!.end();
    publish("b", "c");
    await pass(0);
    const at = performance.now();
    handled.at(-1)!.fail();
    await pass(20);
    expect(exchanges.at(-1)!.at - at).toBe(10);
  });

  it("sleeps until its backoff has ended, instead of looking again and again", async () => {
    const { publish, handled } = start();
    for (let i = 0; i < 7; i++) {
      publish("a");
      await pass(1001);
      handled.at(-1)!.fail();
      await pass(0);
    }
    // It backs off for 640 ms, and heartbeats go on.
    const at = performance.now();
    for (let timers = 0; timers < 10; timers++) await vi.advanceTimersToNextTimerAsync();
    expect(performance.now() - at).toBeGreaterThan(300);
  });

  it("discards an entry that is not a job, with an error", async () => {
    const { server, exchanges, logged, handled, publish } = start({ concurrency: 2 });
    publish("a");
    server.waiting.push(["iris", "3-0", 1, "{}"]);
    await pass(0);
    expect([logged, handled.length]).toEqual([["queue_entry_invalid"], 1]);
    expect(exchanges[1]!.done).toEqual([["iris", "3-0", "", 0]]);
    await pass(1000);
    expect(exchanges.filter(({ done }) => done.length > 0)).toHaveLength(1);
  });

  it("warns when Redis has lost jobs", async () => {
    const { server, logged } = start();
    server.lost = 1;
    await pass(0);
    expect(logged).toEqual(["queue_jobs_lost"]);
  });

  it("tries again after an exchange that failed, and returns what it may have taken", async () => {
    const { server, logged, returns, exchanges, connection, publish } = start({ concurrency: 2 });
    publish("a");
    await pass(0);
    server.fails = true;
    await pass(500);
    connection.connected = false;
    const warnings = logged.length;
    expect([warnings > 0, new Set(logged)]).toEqual([true, new Set(["queue_exchange_failed"])]);
    await pass(1000);
    expect(logged).toHaveLength(warnings);
    const [tries, settled] = [returns.length, exchanges.length];
    server.fails = false;
    await pass(400);
    expect([returns.length - tries, exchanges.length > settled]).toEqual([1, true]);
    expect(returns.at(-1)!.slice(1)).toEqual([0, 2, "iris", expect.stringMatching(/-0$/)]);
    await pass(5000);
    expect(returns.length - tries).toBe(1);
  });

  it("returns nothing after a read that failed for want of a group", async () => {
    const { redis, returns, reads } = start();
    redis.answer("xreadgroup", (args) => {
      reads.push([...args]);
      throw new Error("NOGROUP No such key");
    });
    await pass(500);
    expect([reads.length, returns]).toEqual([3, []]);
    redis.answer("xreadgroup", () => {
      throw new Error("ERR no");
    });
    await pass(410);
    expect(returns).not.toEqual([]);
  });

  it("checks its leases after a slow exchange, before it starts what it took", async () => {
    const { server, publish, ids, beats, consumer } = start({ leaseMs: 3000 });
    server.exchangeMs = 1000;
    publish("a");
    await pass(0);
    const before = beats();
    await pass(1000);
    // One by the clock.
    expect([ids(), beats() - before]).toEqual([["a"], 1]);
    server.exchangeMs = 1010;
    const other = start({ leaseMs: 3000 });
    other.server.exchangeMs = 1010;
    other.server.states = "lost";
    other.publish("b");
    await pass(1010);
    expect([other.ids(), other.consumer.runningJobs.all()]).toEqual([[], []]);
    expect(consumer.runningJobs.all()).toHaveLength(1);
    await other.consumer.reconnected();
  });

  it("does not start a job that was cancelled before", async () => {
    const { server, publish, ids, consumer, exchanges, redis } = start({ leaseMs: 3000 });
    server.exchangeMs = 1010;
    publish("a");
    redis.answer(RENEW_LEASES, () => {
      consumer.runningJobs.withdraw("a", 1);
      return [performance.now(), "c", "ok"];
    });
    await pass(3000);
    expect([ids(), exchanges.some(({ done }) => done.length === 1)]).toEqual([[], true]);
  });

  it("removes the entry of a job that was cancelled, however it ended", async () => {
    const { publish, handled, consumer, exchanges } = start({ concurrency: 2 });
    publish("a");
    await pass(0);
    consumer.runningJobs.withdraw("a", 1);
    expect(handled[0]!.delivery.signal.aborted).toBe(true);
    handled[0]!.fail();
    await pass(0);
    expect(exchanges.flatMap(({ done, returned }) => [done.length, returned.length])).toEqual([0, 0, 1, 0]);
  });

  it("claims the jobs of others now and then while it has free slots", async () => {
    const { server, claims, ids, stop } = start({ leaseMs: 2000 });
    server.claimable.push(["iris", "90-0", 2, text("orphan")]);
    await pass(1900);
    expect(claims).toEqual([]);
    await pass(1500);
    expect([claims.length, ids()]).toEqual([1, ["orphan"]]);
    await pass(5000);
    stop();
    await pass(0);
    expect(claims).toHaveLength(1);
    const free = start({ leaseMs: 2000 });
    await pass(3000);
    const first = free.claims.length;
    await pass(10_000);
    // A read of half a second ends between two.
    expect([first, free.claims.length - first]).toEqual([2, 10]);
  });

  it("stops after its jobs, whose ends it reports, and leaves", async () => {
    const { publish, handled, state, exchanges, returns, stop, reads, redis, ids } = start({
      concurrency: 2,
    });
    const id = publish("a");
    await pass(0);
    expect(reads).toHaveLength(1);
    stop();
    publish("late");
    await pass(600);
    expect([state.ended, ids(), reads.length]).toEqual([false, ["a"], 1]);
    handled[0]!.end();
    await pass(0);
    expect([state.ended, exchanges.at(-1)]).toMatchObject([true, { want: 0, done: [["iris", id, "a", 1]] }]);
    expect(returns.map((args) => args.slice(1))).toEqual([[1, 2, "iris"]]);
    expect([redis.clients[1]?.disconnected, vi.getTimerCount()]).toEqual([true, 0]);
  });

  it("settles each job while others still run after it was stopped, also after a failure", async () => {
    const { publish, handled, exchanges, consumer, server, stop, state } = start({ concurrency: 3 });
    publish("a", "b", "c");
    await pass(0);
    stop();
    handled[0]!.end();
    await pass(0);
    expect(exchanges.at(-1)!.done.map((one) => one[2])).toEqual(["a"]);
    server.fails = true;
    handled[1]!.end();
    await pass(100);
    server.fails = false;
    await pass(150);
    expect(consumer.runningJobs.all().map(({ job }) => job.submission)).toEqual(["c"]);
    handled[2]!.end();
    await pass(0);
    expect(state.ended).toBe(true);
  });

  it("interrupts its read when it stops, and returns what that brings", async () => {
    const { redis, server, stop, state, exchanges, ids } = start();
    const unblocked: unknown[][] = [];
    redis.answer("client", (args) => {
      if (args[0] === "ID") return 5;
      unblocked.push([...args]);
    });
    await pass(10);
    redis.clients[1]!.emit("close");
    await pass(1000);
    stop();
    expect(unblocked).toEqual([["UNBLOCK", 5]]);
    server.unread.push(["iris", "4-0"]);
    await pass(500);
    expect([state.ended, ids(), exchanges.at(-1)]).toMatchObject([
      true,
      [],
      { returned: [["iris", "4-0", "adopted-4-0", 1]] },
    ]);
  });

  it("does not start when it is to stop already", async () => {
    const { state, beats, redis, exchanges } = start({ aborted: true });
    await pass(5000);
    expect([state.ended, beats(), exchanges, redis.clients[1]?.disconnected]).toEqual([true, 0, [], true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("tries for five seconds to report its last jobs", async () => {
    const { publish, handled, state, server, stop, logged, connection } = start();
    publish("a");
    await pass(0);
    stop();
    connection.connected = false;
    server.fails = true;
    handled[0]!.end();
    await pass(5000);
    expect([state.ended, logged]).toEqual([false, []]);
    await pass(500);
    expect([state.ended, logged]).toEqual([true, ["queue_shutdown_failed"]]);
  });

  it("reports its last jobs when Redis responds again in time", async () => {
    const { publish, handled, state, server, stop, logged, connection, consumer } = start();
    publish("a");
    await pass(0);
    stop();
    connection.connected = false;
    server.fails = true;
    handled[0]!.end();
    await pass(3000);
    server.fails = false;
    await pass(200);
    expect([state.ended, logged, consumer.runningJobs.all()]).toEqual([true, [], []]);
  });

  it("ends at once when the queue is closed, but for jobs that still run", async () => {
    const { publish, handled, state, server, close } = start();
    publish("a");
    await pass(0);
    server.fails = true;
    close();
    await pass(1000);
    expect(state.ended).toBe(false);
    handled[0]!.fail();
    await pass(0);
    expect(state.ended).toBe(true);
    const idle = start();
    await pass(100);
    idle.server.fails = true;
    idle.close();
    await pass(0);
    expect([idle.state.ended, idle.logged]).toEqual([true, ["queue_shutdown_failed"]]);
  });

  it("renews its leases when it is connected again", async () => {
    const { beats, consumer } = start();
    await pass(0);
    consumer.reconnected();
    expect(beats()).toBe(2);
  });
});
