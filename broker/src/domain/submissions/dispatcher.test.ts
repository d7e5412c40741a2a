import type { Job } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Domain, openDomain } from "../../../test/support/domain.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createRecovery } from "./recover-queue.ts";

const MARK_MS = 100;
const RETRY_MS = 1000;
const MAX_TURNS = 1000;
const ONE = "submission-1";
const TWO = "submission-2";
const THREE = "submission-3";
let domain: Domain;
let dispatcher: Dispatcher;
/** How many runs have published all that waits: then each queues jobs of regrades. */
let runs: number;
let regradeFault: Error | null;
/** Called before the queue takes a job. */
let whilePublishing: (job: Job) => Promise<unknown>;

beforeEach(async () => {
  domain = await openDomain();
  domain.serve();
  [runs, regradeFault, whilePublishing] = [0, null, async () => {}];
  const { records, queue, catalog, log, clock } = domain.services;
  dispatcher = createDispatcher({
    ...{ records, catalog, log, clock, seedsOf: () => [5] },
    queue: {
      ...queue,
      async publish(job) {
        await whilePublishing(job);
        await queue.publish(job);
      },
    },
    async enqueueRegrades() {
      if (regradeFault) throw regradeFault;
      runs++;
    },
  });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(async () => {
  await dispatcher.stop();
  vi.useRealTimers();
  await domain.close();
});

/**
 * Polls without timers, which the test holds. Records without a disk to wait for need a few turns of the
 * event loop.
 */
async function until(ask: () => unknown): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (await ask()) return;
  }
  throw new Error("what was waited for did not come");
}
async function run(): Promise<void> {
  const before = runs;
  dispatcher.soon();
  await until(() => runs > before);
  await new Promise((resolve) => setImmediate(resolve));
}
async function submit(...ids: string[]): Promise<void> {
  for (const id of ids) await domain.submit({ id });
}
/** A queue that lost its contents is filled again from the records. */
const rebuilt = () =>
  createRecovery(domain.services, {
    republishRegrades: async () => {},
    restartRegrades: async () => {},
  }).republish("it lost them");
const published = () => domain.seen.published.map(({ submission, attempt }) => `${submission} ${attempt}`);
const marks = async () => {
  const rows = await domain.db.selectFrom("attempts").selectAll().orderBy("submission").execute();
  return rows.flatMap(({ submission, number, published_at }) =>
    published_at ? `${submission} ${number}` : [],
  );
};
/** Adds attempts that wait, as many as a busy hour brings. */
async function addMany(count: number): Promise<string[]> {
  await submit(ONE);
  const { number: _, ...row } = await domain.row(ONE);
  const [attempt] = await domain.attempts(ONE);
  const ids = Array.from({ length: count }, (_, index) => `many-${String(index).padStart(4, "0")}`);
  for (let at = 0; at < count; at += 100) {
    const some = ids.slice(at, at + 100);
    await domain.db
      .insertInto("submissions")
      .values(some.map((id) => ({ ...row, id })))
      .execute();
    await domain.db
      .insertInto("attempts")
      .values(some.map((submission) => ({ ...attempt!, submission })))
      .execute();
  }
  return ids;
}

describe("what waits", () => {
  it("is published once, in its order, and marked", async () => {
    await submit(TWO, ONE, THREE);
    domain.pass(1000);
    await run();
    expect(published()).toEqual([`${TWO} 1`, `${ONE} 1`, `${THREE} 1`]);
    expect(domain.seen.published[0]).toMatchObject({ challenge: "sums", input: { kind: "inline" } });
    expect(await domain.attempts(ONE)).toMatchObject([{ published_at: domain.at() }]);
    await run();
    expect(published()).toHaveLength(3);
  });

  it("is the attempt that counts of a submission that is to be graded here, with its code", async () => {
    await submit(ONE, TWO, THREE, "graded-one", "for-code-1", "has-code-1");
    domain.serve({ id: "another", code: { to_graders: true } });
    await domain.set({ challenge: "gone" }, TWO);
    await domain.set({ challenge: "another", attempt: 2 }, THREE);
    await domain.db
      .insertInto("attempts")
      .values({ ...(await domain.attempts(THREE))[0]!, number: 2 })
      .execute();
    await domain.set({ state: "graded" }, "graded-one");
    await domain.addCode("for-code-1", 1);
    await domain.addCode("has-code-1", 0);
    const archive = { tree_key: "a/key", tree_size: 5, tree_sha256: "0a" };
    await domain.db.updateTable("submission_code").set(archive).where("holds", "=", 0).execute();
    await domain.set({ challenge: "another" }, "has-code-1");
    await domain.db.updateTable("attempts").set({ state: "lost" }).where("submission", "=", ONE).execute();
    await run();
    expect(published()).toEqual([`${THREE} 2`, "has-code-1 1"]);
    expect(await marks()).toEqual(["has-code-1 1", `${THREE} 2`]);
    expect(domain.seen.published.map(({ code }) => code)).toEqual([
      null,
      { key: "a/key", size: 5, sha256: "0a" },
    ]);
  });

  it("is nothing where no challenge is served", async () => {
    await submit(ONE);
    domain.challenges.clear();
    await run();
    expect(published()).toEqual([]);
  });

  it("may be more than one batch", async () => {
    const ids = await addMany(501);
    await run();
    expect(published()).toEqual([ONE, ...ids].map((id) => `${id} 1`));
    expect(await marks()).toHaveLength(502);
  });

  it("is published by the next run, at once, when it comes during one", async () => {
    await submit(ONE);
    whilePublishing = async (job) => {
      if (job.submission !== ONE) return;
      await submit(TWO);
      dispatcher.soon(await domain.row(TWO));
      dispatcher.soon();
      expect(published()).toEqual([]);
    };
    dispatcher.soon();
    await until(() => runs === 2);
    expect(published()).toEqual([`${ONE} 1`, `${TWO} 1`]);
    await run();
    expect(runs).toBe(3);
  });

  it("has the seeds of its environment", async () => {
    domain.serve({ environment: { gym: "env.py:make" }, accepts: {} });
    const receipt = await domain.submit({ id: ONE, input: { kind: "session" } });
    expect(receipt.submission.state).toBe("submitted");
    await run();
    expect(domain.seen.published).toMatchObject([{ seeds: [5] }]);
  });
});

describe("a submission that was just committed", () => {
  const soon = async (id: string) => {
    await submit(id);
    dispatcher.soon(await domain.row(id));
  };

  it("is published alone, and marked a moment later together with others", async () => {
    domain.serve({ code: { to_graders: true } });
    await run();
    await soon(TWO);
    await soon(ONE);
    await until(() => published().length === 2);
    expect(published()).toEqual([`${TWO} 1`, `${ONE} 1`]);
    expect(domain.seen.published[0]).toMatchObject({ submission: TWO, code: null });
    expect(runs).toBe(1);
    expect(await marks()).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
    // A run in between does not publish them again.
    await run();
    expect(published()).toHaveLength(2);
    domain.pass(MARK_MS);
    vi.advanceTimersByTime(MARK_MS);
    await until(async () => (await marks()).length === 2);
    expect(await domain.attempts(ONE)).toMatchObject([{ published_at: domain.at() }]);
    // Others come later.
    await soon(THREE);
    await until(() => published().length === 3);
    vi.advanceTimersByTime(MARK_MS);
    await until(async () => (await marks()).length === 3);
  });

  it("waits for older ones that may not have been read yet", async () => {
    await submit(ONE);
    await soon(TWO);
    await until(() => runs === 1);
    expect(published()).toEqual([`${ONE} 1`, `${TWO} 1`]);
  });

  it("is not marked while the queue has not taken it", async () => {
    await run();
    const { promise, resolve } = Promise.withResolvers<void>();
    whilePublishing = (job) => (job.submission === TWO ? promise : Promise.resolve());
    await soon(ONE);
    await soon(TWO);
    await until(() => published().length === 1);
    vi.advanceTimersByTime(MARK_MS);
    await until(async () => (await marks()).length > 0);
    expect(await marks()).toEqual([`${ONE} 1`]);
    // A run waits for the queue, and publishes nothing twice.
    dispatcher.soon();
    await new Promise((done) => setImmediate(done));
    expect(runs).toBe(1);
    resolve();
    await until(() => runs === 2);
    expect(published()).toEqual([`${ONE} 1`, `${TWO} 1`]);
  });

  it("is marked by the next run when many others are not marked either", async () => {
    await run();
    const ids = await addMany(249);
    await domain.db
      .updateTable("attempts")
      .set({ published_at: "before" })
      .where("submission", "=", ONE)
      .execute();
    const rows = await domain.db.selectFrom("submissions").selectAll().where("id", "in", ids).execute();
    for (const row of rows) dispatcher.soon(row);
    await until(() => published().length === 249);
    await run();
    expect(await marks()).toHaveLength(1);
    await soon(TWO);
    await until(() => published().length === 250);
    await run();
    expect(await marks()).toHaveLength(251);
    expect(published()).toHaveLength(250);
  });

  it("is published again when the queue lost its contents before the mark", async () => {
    await run();
    await soon(ONE);
    await until(() => published().length === 1);
    await rebuilt();
    await run();
    expect(published()).toEqual([`${ONE} 1`, `${ONE} 1`]);
    expect(await marks()).toEqual([`${ONE} 1`]);
  });

  it("is taken back when it was cancelled while it was being published", async () => {
    await submit(ONE, TWO);
    whilePublishing = async ({ submission }) => {
      if (submission === ONE) await domain.set({ state: "cancelled" }, ONE);
    };
    dispatcher.soon();
    await until(() => domain.seen.cancelled.length > 0);
    expect(domain.seen.cancelled).toEqual([ONE]);
    expect(published().sort()).toEqual([`${ONE} 1`, `${TWO} 1`]);
  });

  it("is published again when another broker filled the queue before the mark", async () => {
    await run();
    await soon(ONE);
    await until(() => published().length === 1);
    await rebuilt();
    vi.advanceTimersByTime(MARK_MS);
    await until(async () => (await marks()).length > 0);
    expect(published()).toEqual([`${ONE} 1`, `${ONE} 1`]);
    // Older than the loss, too: the next one is not published before it.
    await soon(TWO);
    await until(() => published().length === 3);
    vi.advanceTimersByTime(MARK_MS);
    await until(async () => (await marks()).length === 2);
    expect(published()).toHaveLength(3);
  });

  it("is published again when the queue lost it while others were being published", async () => {
    await submit(ONE, TWO);
    whilePublishing = async ({ submission }) => {
      if (submission === TWO && published().length < 2) await rebuilt();
    };
    dispatcher.soon();
    await until(async () => (await marks()).length === 2);
    expect(published().sort()).toEqual([`${ONE} 1`, `${ONE} 1`, `${TWO} 1`, `${TWO} 1`]);
  });

  it("is published again when the mark could not be written", async () => {
    await run();
    await soon(ONE);
    await until(() => published().length === 1);
    const { transaction } = domain.records;
    Object.assign(domain.records, { transaction: async () => Promise.reject(new Error("no disk")) });
    vi.advanceTimersByTime(MARK_MS);
    await until(() => domain.seen.logged.length > 0);
    Object.assign(domain.records, { transaction });
    expect(domain.seen.logged).toMatchObject([{ event: "dispatch_mark_failed" }]);
    expect(dispatcher.stalled()).toBe(false);
    await run();
    expect(published()).toEqual([`${ONE} 1`, `${ONE} 1`]);
    expect(await marks()).toEqual([`${ONE} 1`]);
  });
});

describe("a queue that rejects jobs", () => {
  const fault = new Error("the queue is away");

  it("is tried again a second later, and the older jobs go first", async () => {
    await run();
    expect(dispatcher.stalled()).toBe(false);
    expect(dispatcher.stalledSince()).toBeNull();
    domain.faults.queue = fault;
    await submit(TWO);
    dispatcher.soon(await domain.row(TWO));
    await until(() => dispatcher.stalled());
    const since = domain.at();
    expect(domain.seen.logged).toMatchObject([{ event: "dispatch_failed", err: fault }]);
    domain.pass(RETRY_MS);
    vi.advanceTimersByTime(RETRY_MS);
    await until(() => domain.seen.logged.length === 2);
    expect(dispatcher.stalledSince()?.toISOString()).toBe(since);
    domain.faults.queue = null;
    await submit(ONE);
    dispatcher.soon(await domain.row(ONE));
    await until(() => runs === 2);
    expect(published()).toEqual([`${TWO} 1`, `${ONE} 1`]);
    await until(() => !dispatcher.stalled());
    expect(dispatcher.stalledSince()).toBeNull();
    expect(await marks()).toHaveLength(2);
    // The order is as before: one job is published alone.
    await submit(THREE);
    dispatcher.soon(await domain.row(THREE));
    await until(() => published().length === 3);
    expect(runs).toBe(2);
  });

  it("keeps what it took of a batch", async () => {
    await submit(ONE, TWO, THREE);
    whilePublishing = (job) => (job.submission === TWO ? Promise.reject(fault) : Promise.resolve());
    dispatcher.soon();
    await until(() => dispatcher.stalled());
    expect(await marks()).toEqual([`${ONE} 1`, `${THREE} 1`]);
    whilePublishing = async () => {};
    vi.advanceTimersByTime(RETRY_MS - 1);
    await new Promise((done) => setImmediate(done));
    expect(runs).toBe(0);
    vi.advanceTimersByTime(1);
    await until(() => runs === 1);
    expect(published()).toEqual([`${ONE} 1`, `${THREE} 1`, `${TWO} 1`]);
  });

  it("has one next try, however often it rejects", async () => {
    domain.faults.queue = fault;
    await submit(ONE);
    dispatcher.soon();
    await until(() => domain.seen.logged.length === 1);
    await until(() => {
      dispatcher.soon();
      return domain.seen.logged.length === 2;
    });
    await dispatcher.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("may be that of regrades", async () => {
    regradeFault = fault;
    dispatcher.soon();
    await until(() => dispatcher.stalled());
    regradeFault = null;
    vi.advanceTimersByTime(RETRY_MS);
    await until(() => !dispatcher.stalled());
    expect(runs).toBe(1);
  });
});

describe("stopping", () => {
  it("marks what the queue took, and publishes no more", async () => {
    await run();
    await submit(ONE);
    dispatcher.soon(await domain.row(ONE));
    await dispatcher.stop();
    expect(await marks()).toEqual([`${ONE} 1`]);
    expect(vi.getTimerCount()).toBe(0);
    await submit(TWO);
    dispatcher.soon();
    dispatcher.soon(await domain.row(TWO));
    await new Promise((done) => setImmediate(done));
    expect([published(), runs, vi.getTimerCount()]).toEqual([[`${ONE} 1`], 1, 0]);
  });

  it("waits for the run, which reads no more batches, and leaves no timer behind", async () => {
    await addMany(500);
    const { promise, resolve } = Promise.withResolvers<void>();
    whilePublishing = () => promise;
    dispatcher.soon();
    dispatcher.soon();
    await new Promise((done) => setImmediate(done));
    const stopped = dispatcher.stop();
    resolve();
    await stopped;
    expect(published()).toHaveLength(500);
    expect(await marks()).toHaveLength(500);
    expect(runs).toBe(0);
  });

  it("leaves no timer behind when the queue rejects jobs", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    whilePublishing = () => promise;
    await submit(ONE);
    dispatcher.soon();
    await new Promise((done) => setImmediate(done));
    const stopped = dispatcher.stop();
    reject(new Error("the queue is away"));
    await stopped;
    expect(vi.getTimerCount()).toBe(0);
  });
});
