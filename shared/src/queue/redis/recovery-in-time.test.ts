import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "./reconnecting-connection.ts";
import { watchForLoss } from "./recovery.ts";
import { CHECK_EPOCH, END_REBUILD, KNOWN, RENEW_REBUILD } from "./recovery-scripts.ts";
import { createScriptedRedis } from "./testing/scripted-redis.ts";

const SETTLE_MS = 5000;
const TAKEOVER_MS = 15_000;

describe("the watch for a loss of the queue", () => {
  const stop = { now: () => {} };
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    stop.now();
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start(states: [state: string, run: string, mine: 0 | 1][]) {
    const redis = createScriptedRedis();
    const client = redis.redis();
    const stopping = new AbortController();
    stop.now = () => stopping.abort();
    const calls: unknown[][] = [];
    const logged: string[] = [];
    const note = (about: object) => void logged.push((about as { event: string }).event);
    const note1 = (name: string, args: readonly unknown[]) => void calls.push([name, ...args]);
    const answers = { end: 1 as unknown, renew: () => 1 as unknown };
    redis.answer(CHECK_EPOCH, (args) => {
      note1("check", args);
      return states.shift() ?? ["ok", "run", 0];
    });
    redis.answer(RENEW_REBUILD, (args) => {
      note1("renew", args);
      return answers.renew();
    });
    redis.answer(END_REBUILD, (args) => {
      note1("end", args);
      return answers.end;
    });
    redis.answer(KNOWN, (args) => {
      note1("known", args);
      return ["b"];
    });
    const connection = {
      ...{ connected: true, connectionNumber: 1, lastError: null, close() {} },
      use: <T>(work: (client: Client) => Promise<T>) => work(client),
    };
    const steps: { republish(reason: string): Promise<void>; restart: (reason: string) => Promise<void> } = {
      republish: async () => {},
      restart: async () => {},
    };
    const state = { ended: false };
    void watchForLoss({
      ...{ connection, base: "{x}", settleMs: SETTLE_MS, stopping: stopping.signal },
      log: { info: note, warn: note, error: note },
      recovery: {
        republish(reason) {
          note1("republish", [reason]);
          return steps.republish(reason);
        },
        async restart(reason, known) {
          note1("restart", [reason, ...(await known(["a", "b"]))]);
          await steps.restart(reason);
        },
      },
    }).then(() => {
      state.ended = true;
    });
    const names = () => calls.map(([name]) => name);
    return { calls, names, logged, steps, answers, connection, state, stop: stop.now };
  }

  it("checks every second, until it is stopped", async () => {
    const { names, state, calls, stop, logged } = start([]);
    await pass(999);
    expect(names()).toEqual(["check"]);
    await pass(1);
    expect(names()).toEqual(["check", "check"]);
    const [me] = calls[0]!.slice(1);
    expect(calls).toEqual(Array(2).fill(["check", me, TAKEOVER_MS]));
    stop();
    await pass(5000);
    expect([names().length, state.ended, logged]).toEqual([2, true, []]);
  });

  it("leaves the rebuild to another broker", async () => {
    const { names } = start([["flushed", "run", 0]]);
    await pass(1500);
    expect(names()).toEqual(["check", "check"]);
  });

  it.each([
    ["flushed", "the queue lost its contents"],
    ["restarted", "the queue was restarted"],
    ["of another kind", "of another kind"],
  ])("rebuilds a queue that is %s", async (state, reason) => {
    const { calls, logged } = start([[state, "run-1", 1]]);
    await pass(SETTLE_MS - 1);
    const me = calls[0]![1];
    expect(calls).toEqual([
      ["check", me, TAKEOVER_MS],
      ["republish", reason],
      ["renew", me, TAKEOVER_MS],
    ]);
    await pass(1);
    expect(calls.slice(3)).toEqual([
      ["known", "a", "b"],
      ["restart", reason, "b"],
      ["end", me, "run-1"],
      ["check", me, TAKEOVER_MS],
    ]);
    expect(logged).toEqual(["queue_rebuild_started", "queue_rebuilt"]);
    await pass(900);
    expect(calls).toHaveLength(7);
  });

  it("keeps the right to rebuild while it takes long, also after a failure", async () => {
    const { steps, names, answers, logged } = start([["flushed", "run", 1]]);
    const { promise, resolve } = Promise.withResolvers<void>();
    steps.restart = () => promise;
    answers.renew = () => {
      throw new Error("no Redis");
    };
    const renewals = () => names().filter((name) => name === "renew").length;
    await pass(TAKEOVER_MS + SETTLE_MS);
    expect([renewals(), names().includes("end")]).toEqual([6, false]);
    resolve();
    await pass(60_000);
    expect([renewals(), logged]).toEqual([6, ["queue_rebuild_started", "queue_rebuilt"]]);
  });

  it("reports a rebuild during which jobs were lost, and checks again", async () => {
    const { answers, logged, names } = start([["flushed", "run", 1]]);
    answers.end = 0;
    await pass(SETTLE_MS);
    expect([logged, names().at(-1)]).toEqual([["queue_rebuild_started", "queue_rebuild_repeated"], "check"]);
  });

  it("tries a rebuild that failed again after a second", async () => {
    const { steps, logged, names } = start([
      ["flushed", "run", 1],
      ["flushed", "run", 1],
    ]);
    steps.republish = async () => {
      throw new Error("no records");
    };
    await pass(999);
    expect([names(), logged]).toEqual([
      ["check", "republish"],
      ["queue_rebuild_started", "queue_rebuild_failed"],
    ]);
    steps.republish = async () => {};
    await pass(1);
    expect(names().slice(2)).toEqual(["check", "republish"]);
    await pass(SETTLE_MS);
    expect([logged.slice(2), names().filter((name) => name === "renew").length]).toEqual([
      ["queue_rebuild_started", "queue_rebuilt"],
      1,
    ]);
  });

  it("does not log failures while there is no connection, or when it is stopped", async () => {
    const { steps, logged, connection, stop, state } = start([["flushed", "run", 1]]);
    steps.republish = async () => {
      connection.connected = false;
      throw new Error("no Redis");
    };
    await pass(0);
    expect(logged).toEqual(["queue_rebuild_started"]);
    stop();
    await pass(0);
    expect(state.ended).toBe(true);
    const stopped = start([["flushed", "run", 1]]);
    stopped.steps.republish = async () => {
      stopped.stop();
      throw new Error("closed");
    };
    await pass(5000);
    expect([stopped.logged, stopped.state.ended]).toEqual([["queue_rebuild_started"], true]);
  });

  it("stops before it restarts submissions", async () => {
    const { names, state, stop } = start([["flushed", "run", 1]]);
    await pass(100);
    stop();
    await pass(10_000);
    expect([names(), state.ended]).toEqual([["check", "republish", "end"].slice(0, 2), true]);
  });
});
