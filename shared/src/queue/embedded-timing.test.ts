import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { jobOf } from "./contract/samples.ts";
import { createEmbeddedQueue } from "./embedded-queue.ts";

describe("the embedded queue in simulated time", () => {
  let queue: ReturnType<typeof createEmbeddedQueue>;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    queue = createEmbeddedQueue();
  });
  afterEach(async () => {
    await queue.close();
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  /** A grader whose jobs run until the test ends them. */
  function attach(grader: string, { concurrency = 1, challenges = ["iris"] } = {}) {
    const stop = new AbortController();
    const jobs: {
      id: string;
      at: number;
      delivery: number;
      end(): void;
      fail(): void;
      signal: AbortSignal;
    }[] = [];
    const attached = { jobs, stop: () => stop.abort(), ended: false };
    const consumption = { grader, challenges: () => challenges, concurrency, signal: stop.signal };
    const consuming = queue.consume(consumption, ({ job, delivery, signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = () => reject(new Error("no room"));
      jobs.push({ ...{ id: job.submission, at: Date.now(), delivery, signal }, end: resolve, fail });
      return promise;
    });
    void consuming.then(() => {
      attached.ended = true;
    });
    return attached;
  }
  const ids = ({ jobs }: ReturnType<typeof attach>) => jobs.map(({ id }) => id);

  it("all free slots of a grader are filled when it attaches", async () => {
    for (const id of ["a", "b", "c", "d"]) await queue.publish(jobOf(id));
    expect(ids(attach("g", { concurrency: 3 }))).toEqual(["a", "b", "c"]);
  });

  it("graders with free slots take turns", async () => {
    const [x, y] = [attach("x", { concurrency: 2 }), attach("y", { concurrency: 2 })];
    for (const id of ["a", "b", "c", "d"]) await queue.publish(jobOf(id));
    expect([ids(x), ids(y)]).toEqual([
      ["a", "c"],
      ["b", "d"],
    ]);
  });

  it("a job of a challenge that a grader begins to serve is found within half a second", async () => {
    const challenges = ["iris"];
    const grader = attach("g", { challenges });
    attach("busy").jobs.length = 0;
    await queue.publish(jobOf("taken"));
    expect(vi.getTimerCount()).toBe(0);
    await queue.publish(jobOf("waits", { challenge: "digits" }));
    await queue.publish(jobOf("waits too", { challenge: "digits" }));
    expect(vi.getTimerCount()).toBe(1);
    await pass(1000);
    expect([ids(grader), vi.getTimerCount()]).toEqual([["taken"], 1]);
    grader.jobs[0]!.end();
    await pass(0);
    challenges.push("digits");
    await pass(499);
    expect(ids(grader)).toEqual(["taken"]);
    await pass(1);
    expect(ids(grader)).toEqual(["taken", "waits"]);
    await queue.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("nothing is looked for while no job waits, or no grader is free", async () => {
    const grader = attach("g");
    await queue.publish(jobOf("a"));
    await queue.publish(jobOf("b"));
    expect(vi.getTimerCount()).toBe(0);
    grader.jobs[0]!.end();
    await pass(0);
    grader.jobs[1]!.end();
    await pass(0);
    expect([ids(grader), vi.getTimerCount()]).toEqual([["a", "b"], 0]);
  });

  it("a grader that returns every job gets it again after longer and longer pauses, a second at most", async () => {
    const grader = attach("g");
    await queue.publish(jobOf("unlucky"));
    for (const ms of [10, 20, 40, 80, 160, 320, 640, 1000, 1000]) {
      const count = grader.jobs.length;
      grader.jobs.at(-1)!.fail();
      await pass(ms - 1);
      expect([ms, grader.jobs.length]).toEqual([ms, count]);
      await pass(1);
      expect([ms, grader.jobs.length]).toEqual([ms, count + 1]);
    }
    grader.jobs.at(-1)!.end();
    await queue.publish(jobOf("later"));
    await pass(0);
    grader.jobs.at(-1)!.fail();
    await pass(10);
    expect(ids(grader).slice(-2)).toEqual(["later", "later"]);
  });

  it("jobs returned at the same time lengthen one pause", async () => {
    const grader = attach("g", { concurrency: 2 });
    for (const id of ["a", "b"]) await queue.publish(jobOf(id));
    for (const { fail } of grader.jobs) fail();
    await pass(0);
    expect(vi.getTimerCount()).toBe(1);
    await pass(19);
    expect(grader.jobs).toHaveLength(2);
    await pass(1);
    expect(ids(grader)).toHaveLength(4);
  });

  it("a grader that stops in its pause, or returns a job while it stops, leaves no timer", async () => {
    const [pausing, stopping] = [attach("pausing"), attach("stopping")];
    for (const id of ["a", "b"]) await queue.publish(jobOf(id));
    pausing.jobs[0]!.fail();
    await pass(0);
    stopping.stop();
    stopping.jobs[0]!.fail();
    await pass(0);
    expect(stopping.ended).toBe(true);
    expect(vi.getTimerCount()).toBe(1);
    pausing.stop();
    await pass(0);
    expect([pausing.ended, vi.getTimerCount()]).toEqual([true, 0]);
  });

  it("a grader that stops is not listed, and ends with its last job", async () => {
    const grader = attach("g", { concurrency: 2 });
    for (const id of ["a", "b"]) await queue.publish(jobOf(id));
    grader.stop();
    expect(await queue.attached()).toEqual([]);
    grader.jobs[0]!.end();
    await pass(0);
    expect(grader.ended).toBe(false);
    grader.jobs[1]!.end();
    await pass(0);
    expect(grader.ended).toBe(true);
  });

  it("a job that is done can be published again", async () => {
    const grader = attach("g");
    await queue.publish(jobOf("a"));
    grader.jobs[0]!.end();
    await pass(0);
    await queue.publish(jobOf("a"));
    expect(ids(grader)).toEqual(["a", "a"]);
  });

  it("a closed queue lists and serves no grader, and delivers nothing", async () => {
    attach("early");
    await queue.publish(jobOf("runs"));
    await queue.publish(jobOf("waits"));
    await queue.close();
    await pass(0);
    expect(await queue.attached()).toEqual([]);
    const late = attach("late");
    await pass(1000);
    expect([ids(late), late.ended]).toEqual([[], true]);
  });

  describe("recovery", () => {
    function recover(
      failing: { republish?: number; restart?: number } = {},
      signal = new AbortController().signal,
    ) {
      const left = { republish: 0, restart: 0, ...failing };
      const recovery = { steps: [] as string[], known: [] as string[], ended: false };
      const step = (name: "republish" | "restart", reason: string) => {
        recovery.steps.push(`${name}: ${reason}`);
        if (left[name]-- > 0) throw new Error("the records are busy");
      };
      const recovering = queue.recover(
        {
          republish: async (reason) => step("republish", reason),
          async restart(reason, known) {
            step("restart", reason);
            recovery.known = [...(await known(["runs", "waits", "unknown"]))];
          },
        },
        signal,
      );
      void recovering.then(() => {
        recovery.ended = true;
      });
      return recovery;
    }
    const once = ["republish: the broker was restarted", "restart: the broker was restarted"];

    it("publishes again, and restarts what the queue does not know, once", async () => {
      attach("g");
      for (const id of ["runs", "waits"]) await queue.publish(jobOf(id));
      const stop = new AbortController();
      const recovery = recover({}, stop.signal);
      await pass(10_000);
      expect(recovery).toEqual({ steps: once, known: ["runs", "waits"], ended: false });
      stop.abort();
      await pass(0);
      expect(recovery.ended).toBe(true);
    });

    it("begins again half a second after a failure", async () => {
      const recovery = recover({ republish: 1, restart: 1 });
      await pass(499);
      expect(recovery.steps).toEqual(once.slice(0, 1));
      await pass(1);
      expect(recovery.steps).toEqual([once[0], ...once]);
      await pass(10_000);
      expect(recovery.steps).toEqual([once[0], ...once, ...once]);
    });

    it("ends while it waits, when its signal is aborted or the queue is closed", async () => {
      const stop = new AbortController();
      const [stopped, closed] = [recover({ republish: 9 }, stop.signal), recover({ republish: 9 })];
      await pass(0);
      stop.abort();
      await pass(0);
      expect([stopped.ended, closed.ended]).toEqual([true, false]);
      await queue.close();
      await pass(10_000);
      expect([closed.ended, stopped.steps.length, closed.steps.length]).toEqual([true, 1, 1]);
    });

    it("does nothing with an aborted signal, or when the queue is closed", async () => {
      const aborted = recover({}, AbortSignal.abort());
      await queue.close();
      const late = recover();
      await pass(0);
      expect([aborted, late]).toEqual(Array(2).fill({ steps: [], known: [], ended: true }));
    });
  });
});
