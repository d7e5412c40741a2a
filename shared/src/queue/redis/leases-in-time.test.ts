import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobOf } from "../contract/samples.ts";
import { ADD_AGAIN, CLAIM, RENEW_LEASES } from "./lease-scripts.ts";
import { consumerName, createLeases, type Leases } from "./leases.ts";
import type { Client } from "./reconnecting-connection.ts";
import { createRunningJobs } from "./running-jobs.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

const LEASE_MS = 7000;
const BEAT_MS = 2000;

describe("the leases of a grader", () => {
  let open: Leases[] = [];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
  });
  afterEach(async () => {
    for (const leases of open) void leases.stop();
    open = [];
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start() {
    const redis = createScriptedRedis();
    const client = redis.redis();
    const connection = {
      connected: true,
      connectionNumber: 1,
      lastError: null,
      use: <T>(work: (client: Client) => Promise<T>) => work(client),
      close() {},
    };
    const stop = new AbortController();
    const jobs = createRunningJobs();
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const beats: unknown[][] = [];
    const server: { contents: string; states: string[]; fails: boolean; time: number } = {
      ...{ contents: "c", states: [], fails: false, time: 1_000_000 },
    };
    redis.answer(RENEW_LEASES, (args) => {
      beats.push([...args]);
      if (server.fails) throw new Error("no Redis");
      return [server.time + performance.now(), server.contents, ...server.states];
    });
    const added: unknown[][] = [];
    redis.answer(ADD_AGAIN, (args) => {
      added.push([...args]);
      return "9-0";
    });
    const leases = createLeases({
      ...{ connection, base: "{x}", consumer: "me", leaseMs: LEASE_MS, runningJobs: jobs },
      consumption: { grader: "g", challenges: () => ["iris"], concurrency: 2, signal: stop.signal },
      log: { info: note, warn: note, error: note },
    });
    open.push(leases);
    const take = (id: string, submission = "s") =>
      jobs.add(["iris", id, 2, JSON.stringify(jobOf(submission, { attempt: 3 }))])!;
    return {
      ...{ redis, connection, jobs, leases, take, beats, added, logged, server },
      stop: () => stop.abort(),
    };
  }

  it("are renewed for each running job, with the description of the grader", async () => {
    const { take, beats, leases, server, stop } = start();
    server.states = ["ok", "ok"];
    take("1-0");
    take("2-0", "t");
    await leases.beat();
    const about = { grader: "g", challenges: ["iris"], concurrency: 2, advances: true };
    const jobs = [...["iris", "1-0", "s", 3, 2], ...["iris", "2-0", "t", 3, 2]];
    expect(beats).toEqual([["me", JSON.stringify(about), LEASE_MS, ...jobs]]);
    // One that stops is listed no longer, and keeps its jobs.
    stop();
    await leases.beat();
    expect(beats[1]).toEqual(["me", "null", 0, ...jobs]);
  });

  it("are renewed several times a lease, until they end", async () => {
    const { beats, leases } = start();
    await pass(BEAT_MS - 1);
    expect(beats).toHaveLength(0);
    await pass(1);
    expect(beats).toHaveLength(1);
    await pass(2 * BEAT_MS);
    expect(beats).toHaveLength(3);
    await leases.stop();
    await pass(10 * BEAT_MS);
    expect(beats).toHaveLength(3);
  });

  it("have one heartbeat at a time, for which their end waits", async () => {
    const { redis, leases } = start();
    let calls = 0;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    redis.answer(RENEW_LEASES, () => {
      calls++;
      return promise;
    });
    const [one, two] = [leases.beat(), leases.beat()];
    expect(two).toBe(one);
    let stopped = false;
    void leases.stop().then(() => {
      stopped = true;
    });
    await pass(10);
    expect([calls, stopped]).toEqual([1, false]);
    resolve([0, "c"]);
    await pass(0);
    expect(stopped).toBe(true);
    void leases.beat();
    await pass(0);
    expect(calls).toBe(2);
  });

  it("are renewed again after a failure, which is logged while there is a connection", async () => {
    const { leases, logged, server, connection, beats } = start();
    server.fails = true;
    await leases.beat();
    expect(logged).toEqual(["queue_heartbeat_failed"]);
    connection.connected = false;
    await leases.beat();
    connection.connected = true;
    await leases.stop();
    await leases.beat();
    expect([logged.length, beats.length]).toEqual([1, 3]);
  });

  describe("after a heartbeat", () => {
    const cases: [state: string, what: string, ends: boolean][] = [
      ["ok", "continue", false],
      ["lost", "end: another grader has the job", true],
      ["gone", "end: the job was cancelled", true],
    ];
    it.each(cases)('that answers "%s" %s', async (state, _, ends) => {
      const { take, leases, jobs, server, added } = start();
      const one = take("1-0");
      server.states = [state];
      for (const _ of [1, 2]) await leases.beat();
      expect([one.abort.signal.aborted, jobs.all().length]).toEqual([ends, ends ? 0 : 1]);
      expect([one.id, added]).toEqual(["1-0", []]);
    });

    const lost = {
      "with other contents": (started: ReturnType<typeof start>) => {
        started.server.contents = "d";
      },
      "of another connection": ({ connection }: ReturnType<typeof start>) => {
        connection.connectionNumber++;
      },
    };
    it.each(Object.entries(lost))("%s, which misses the job, add it again once", async (_, lose) => {
      const started = start();
      const { take, leases, server, added, logged } = started;
      await leases.beat();
      const one = take("1-0");
      lose(started);
      server.states = ["gone"];
      await leases.beat();
      expect(added).toEqual([["me", "iris", "s", 3, 2, JSON.stringify(one.job)]]);
      expect([one.id, one.abort.signal.aborted, logged]).toEqual(["9-0", false, ["queue_job_readded"]]);
      await leases.beat();
      expect([added.length, one.abort.signal.aborted]).toEqual([1, true]);
    });

    it("take every job as lost until all were followed up", async () => {
      const { take, leases, server, redis, added } = start();
      await leases.beat();
      const one = take("1-0");
      server.contents = "d";
      server.states = ["gone"];
      redis.answer(ADD_AGAIN, (args) => {
        added.push([...args]);
        if (added.length === 1) throw new Error("no Redis");
        return "9-0";
      });
      await leases.beat();
      await leases.beat();
      expect([added.length, one.id, one.abort.signal.aborted]).toEqual([2, "9-0", false]);
    });

    it("add a job again whose entry alone is missing", async () => {
      const { take, leases, server, added } = start();
      const one = take("1-0");
      server.states = ["again"];
      await leases.beat();
      expect([added.length, one.id, one.abort.signal.aborted]).toEqual([1, "9-0", false]);
    });

    it("end a job that another grader has by now", async () => {
      const { take, leases, server, redis, jobs, logged } = start();
      const one = take("1-0");
      server.states = ["again"];
      redis.answer(ADD_AGAIN, () => null);
      await leases.beat();
      expect([one.abort.signal.aborted, jobs.all(), logged]).toEqual([true, [], []]);
    });

    it("leave a job that has ended as it is", async () => {
      const { take, leases, server, added, jobs } = start();
      const [settled, removed] = [take("1-0"), take("2-0", "t")];
      settled.settled = "done";
      server.states = ["gone", "again"];
      const beat = leases.beat();
      jobs.remove(removed);
      await beat;
      server.states = ["lost"];
      await leases.beat();
      const aborted = [settled, removed].map(({ abort }) => abort.signal.aborted);
      expect([added, jobs.all(), aborted]).toEqual([[], [settled], [false, false]]);
    });

    it("give a job the entry that is named", async () => {
      const { take, leases, server, jobs } = start();
      const one = take("1-0");
      server.states = ["5-0"];
      await leases.beat();
      expect([one.id, one.settled, jobs.all(), one.abort.signal.aborted]).toEqual([
        "5-0",
        null,
        [one],
        false,
      ]);
    });

    it("settle a job again that was settled under its old entry", async () => {
      const { take, leases, server, jobs } = start();
      const one = take("1-0");
      server.states = ["5-0"];
      const beat = leases.beat();
      one.settled = "done";
      jobs.remove(one);
      await beat;
      expect([one.id, jobs.all()]).toEqual(["5-0", [one]]);
    });

    it("end a job whose new entry this grader has taken as another", async () => {
      const { take, leases, server, jobs } = start();
      const one = take("1-0");
      server.states = ["5-0"];
      const beat = leases.beat();
      const other = take("5-0");
      await beat;
      expect([one.abort.signal.aborted, other.abort.signal.aborted, jobs.all()]).toEqual([
        true,
        false,
        [other],
      ]);
    });
  });

  describe("of others", () => {
    async function claiming() {
      const started = start();
      const claims: unknown[][] = [];
      const replies: [string, number, unknown[]][] = [];
      started.redis.answer(CLAIM, (args) => {
        claims.push([...args]);
        return replies.shift() ?? ["0-0", 0, []];
      });
      const claim = (free = 2, challenges = ["iris"]) => started.leases.claim(challenges, free);
      return { ...started, claim, claims, replies };
    }
    const job = (id: string) => ["iris", id, 2, "{}"];

    it("are claimed only after a lease of contact without a gap", async () => {
      const { claim, claims, leases, server, connection } = await claiming();
      await claim();
      await leases.beat();
      await pass(LEASE_MS - 1);
      expect([await claim(), claims]).toEqual([[], []]);
      await pass(1);
      await claim();
      expect(claims).toHaveLength(1);
      // A heartbeat that is late by more than half a lease begins a new one.
      server.fails = true;
      await pass(2 * BEAT_MS);
      server.fails = false;
      await leases.beat();
      await claim();
      await pass(LEASE_MS - 1);
      expect([await claim(), claims.length]).toEqual([[], 1]);
      await pass(1);
      await claim();
      expect(claims).toHaveLength(2);
      // So does another connection.
      connection.connectionNumber++;
      await claim();
      await leases.beat();
      await claim();
      expect(claims).toHaveLength(2);
      await pass(LEASE_MS);
      await claim();
      expect(claims).toHaveLength(3);
    });

    it("are still claimed after a gap of half a lease", async () => {
      const { claim, claims, leases, server } = await claiming();
      await leases.beat();
      server.fails = true;
      await pass(LEASE_MS / 2);
      server.fails = false;
      await leases.beat();
      await pass(LEASE_MS / 2);
      await claim();
      expect(claims).toHaveLength(1);
    });

    it("are claimed with the time at which Redis should do it", async () => {
      const { claim, claims, leases, server } = await claiming();
      server.time = 5_000_000.4;
      await leases.beat();
      await pass(LEASE_MS + 1234);
      await claim(3);
      const now = Math.round(5_000_000.4 + performance.now());
      expect(claims).toEqual([["me", "iris", LEASE_MS, "0-0", 3, now, 1000]]);
    });

    it("are searched through, until there is no more or no slot is free", async () => {
      const { claim, claims, replies, leases, logged } = await claiming();
      await leases.beat();
      await pass(LEASE_MS);
      replies.push(["5-0", 0, [job("1-0")]], ["0-0", 1, []], ["7-0", 0, [job("6-0"), job("6-1")]]);
      const taken = await claim(3, ["iris", "other", "last"]);
      expect(taken).toEqual([job("1-0"), job("6-0"), job("6-1")]);
      expect(claims.map((args) => [args[1], args[3], args[4]])).toEqual([
        ["iris", "0-0", 3],
        ["iris", "5-0", 2],
        ["other", "0-0", 2],
      ]);
      expect(logged).toEqual(["queue_jobs_lost"]);
    });
  });

  it("belong to one call of consume", () => {
    expect(consumerName("g")).toMatch(/^g:[-0-9a-f]{36}$/);
    expect(consumerName("g")).not.toBe(consumerName("g"));
  });
});
