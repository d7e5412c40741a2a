import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Taken } from "../../../shared/src/queue/contract/test-grader.ts";
import { cancelRegrade } from "../../src/domain/regrade/cancel-regrade.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { MAX_ATTEMPTS, MAX_STARTS } from "../../src/domain/submissions/deadlines.ts";
import { restart } from "../../src/domain/submissions/recover-queue.ts";
import { aboutOf, finishedWith, type RedisBroker, startRedisBroker } from "../support/redis-broker.ts";
import { until } from "../support/until.ts";

const COUNT = 100;

describe.skipIf(withoutService("redis"))("reports of graders", () => {
  let stage: RedisBroker;
  beforeAll(async () => {
    stage = await startRedisBroker([{ rounds: [{ id: "1", parallel_limit: null }] }]);
  });
  afterAll(() => stage?.close());

  async function submit(count: number): Promise<string[]> {
    const client = await stage.test.connect();
    const sent = Array.from({ length: count }, () =>
      client.submit({ input: { kind: "inline", data: { score: 1 } } }),
    );
    const ids = (await Promise.all(sent)).map(({ submission }) => submission.id);
    client.socket.disconnect();
    return ids;
  }
  const rowsOf = (ids: string[]) =>
    stage.test.records.db.selectFrom("submissions").selectAll().where("id", "in", ids).execute();
  const refused = async () => {
    const text = await (await stage.test.fetch("/metrics")).text();
    const lines = text.split("\n").filter((line) => line.startsWith("crowdai_late_reports_refused_total"));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const started = (taken: Taken, grader: string) =>
    stage.queue.report({ ...aboutOf(taken, grader), type: "started" });
  const takeAll = async (grader: ReturnType<RedisBroker["attach"]>, count: number) => {
    const all: Taken[] = [];
    for (let i = 0; i < count; i++) all.push(await grader.next());
    return all;
  };

  /** Passes over jobs of earlier tests. */
  async function nextOf(grader: ReturnType<RedisBroker["attach"]>, id: string, attempt = 1): Promise<Taken> {
    for (;;) {
      const taken = await grader.next();
      if (taken.id === id && taken.delivery.job.attempt === attempt) return taken;
      taken.acknowledge();
    }
  }

  /** Lets one grader start each job, and another start it again after the first was taken for dead. */
  async function startTwice(count: number) {
    const frozen = stage.attach("frozen", count);
    const older = await takeAll(frozen, count);
    for (const taken of older) await started(taken, "frozen");
    const ended = frozen.abort();
    for (const taken of older) taken.returnToQueue();
    await ended;
    const heir = stage.attach("heir", count);
    const newer = await takeAll(heir, count);
    for (const taken of newer) await started(taken, "heir");
    return { older, newer, heir };
  }

  it("about an older delivery are refused, all of them, and change nothing", async () => {
    const ids = await submit(COUNT);
    const { older, newer, heir } = await startTwice(COUNT);
    expect(newer.map(({ delivery: { delivery } }) => delivery)).toEqual(Array(COUNT).fill(2));
    await until(async () => (await rowsOf(ids)).every(({ starts }) => starts === 2));
    const before = await rowsOf(ids);
    const lateBefore = await refused();

    for (const taken of older) {
      await started(taken, "frozen");
      await stage.queue.report({ ...aboutOf(taken, "frozen"), type: "log", message: "late" });
      await stage.queue.report({ ...aboutOf(taken, "frozen"), type: "released", reason: "late" });
      await stage.queue.report(finishedWith(taken, "frozen", 0.1));
    }
    await until(async () => (await refused()) === lateBefore + 4 * COUNT);
    expect(await rowsOf(ids)).toEqual(before);

    for (const taken of newer) {
      await stage.queue.report(finishedWith(taken, "heir", 0.9));
      taken.acknowledge();
    }
    const rows = await until(async () => {
      const all = await rowsOf(ids);
      return all.every(({ state }) => state === "graded") ? all : null;
    });
    expect(rows.map(({ score }) => score)).toEqual(Array(COUNT).fill(0.9));
    const attempts = await stage.test.records.db
      .selectFrom("attempts")
      .select(["grader", "delivery", "accepted"])
      .where("submission", "in", ids)
      .execute();
    await heir.stop();
    expect(attempts).toEqual(Array(COUNT).fill({ grader: "heir", delivery: 2, accepted: 1 }));
  });

  it("about a regrade's older delivery are refused too", async () => {
    const { records } = stage.test;
    await startRegrade(records, "test", new Date());
    const { older, newer, heir } = await startTwice(2);
    const items = () =>
      records.db.selectFrom("regrade_items").selectAll().where("state", "=", "grading").execute();
    await until(async () => (await items()).filter(({ starts }) => starts === 2).length === 2);
    const lateBefore = await refused();
    for (const taken of older) {
      await stage.queue.report({ ...aboutOf(taken, "frozen"), type: "released", reason: "late" });
      await stage.queue.report(finishedWith(taken, "frozen", 0.1));
    }
    await until(async () => (await refused()) === lateBefore + 4);
    expect(await items()).toHaveLength(2);
    for (const taken of newer) {
      await stage.queue.report(finishedWith(taken, "heir", 0.8));
      taken.acknowledge();
    }
    await until(async () => (await items()).length === 0);
    const outcomes = await records.db
      .selectFrom("attempts")
      .select("grader")
      .where("regrade", "is not", null)
      .where("state", "=", "done")
      .execute();
    expect(outcomes).toEqual(Array(2).fill({ grader: "heir" }));
    await cancelRegrade(records, "test", new Date());
    await heir.stop();
  });

  it("that return a job do not count its start, however often it is returned", async () => {
    const [id] = await submit(1);
    const grader = stage.attach("returning");
    for (let delivery = 1; delivery <= MAX_STARTS + 2; delivery++) {
      const taken = await nextOf(grader, id!);
      expect(taken.delivery.delivery).toBe(delivery);
      await started(taken, "returning");
      await stage.queue.report({ ...aboutOf(taken, "returning"), type: "released", reason: "stopping" });
      taken.returnToQueue();
    }
    const taken = await nextOf(grader, id!);
    await started(taken, "returning");
    await stage.queue.report(finishedWith(taken, "returning", 0.7));
    taken.acknowledge();
    const row = await until(async () =>
      (await rowsOf([id!])).find(({ state }) => state !== "grading" && state !== "submitted"),
    );
    expect(row).toMatchObject({ state: "graded", attempt: 1 });
    await grader.stop();
  });

  const eventsOf = async (id: string) => {
    const { db } = stage.test.records;
    const events = await db
      .selectFrom("events")
      .select("type")
      .where("submission", "=", id)
      .orderBy("seq")
      .execute();
    return events.map(({ type }) => type);
  };
  const inState = (id: string, state: string) =>
    until(async () => (await rowsOf([id])).find((row) => row.state === state));

  it("that arrive twice count once", async () => {
    const [id] = await submit(1);
    const grader = stage.attach("repeating");
    let taken = await nextOf(grader, id!);
    const released = { ...aboutOf(taken, "repeating"), type: "released", reason: "stopping" } as const;
    // A job that has not started cannot be given back.
    await stage.queue.report(released);
    for (let i = 0; i < 2; i++) await started(taken, "repeating");
    expect(await inState(id!, "grading")).toMatchObject({ starts: 1 });
    for (let i = 0; i < 2; i++) await stage.queue.report(released);
    expect(await inState(id!, "submitted")).toMatchObject({ starts: 0 });
    taken.returnToQueue();
    taken = await nextOf(grader, id!);
    await started(taken, "repeating");
    await inState(id!, "grading");
    const before = await refused();
    for (const score of [0.3, 0.2]) await stage.queue.report(finishedWith(taken, "repeating", score));
    taken.acknowledge();
    await until(async () => (await refused()) === before + 1);
    expect(await inState(id!, "graded")).toMatchObject({ score: 0.3, starts: 1 });
    expect(await eventsOf(id!)).toEqual([
      "initiated",
      "submitted",
      "grading",
      "requeued",
      "grading",
      "graded",
    ]);
    await grader.stop();
  });

  it("about an older attempt are refused, and a restart counts the start only of a grader that was lost", async () => {
    const [id] = await submit(1);
    const grader = stage.attach("first");
    const taken = await nextOf(grader, id!);
    await started(taken, "first");
    await inState(id!, "grading");
    const context = { records: stage.test.records, clock: () => new Date(), announce() {} };
    // Another broker has just restarted it.
    await restart(context, id!, "the grader stopped responding", { onlyOverdue: true });
    expect(await inState(id!, "grading")).toMatchObject({ attempt: 1 });
    await restart(context, id!, "the queue lost its contents", { counts: false });
    const restarted = await inState(id!, "submitted");
    expect(restarted).toMatchObject({ attempt: 2, starts: 0 });
    const before = await refused();
    await stage.queue.report(finishedWith(taken, "first", 0.1));
    taken.acknowledge();
    await until(async () => (await refused()) === before + 1);
    expect(await inState(id!, "submitted")).toEqual(restarted);
    // One that waits is not restarted.
    await restart(context, id!, "the grader stopped responding");
    expect(await inState(id!, "submitted")).toEqual(restarted);

    const change = (values: object) =>
      stage.test.records.db.updateTable("submissions").set(values).where("id", "=", id!).execute();
    await change({ state: "grading", starts: 1 });
    await restart(context, id!, "the grader stopped responding");
    expect(await inState(id!, "submitted")).toMatchObject({ attempt: 3, starts: 1 });
    await change({ state: "grading", attempt: MAX_ATTEMPTS });
    await restart(context, id!, "the queue lost its contents", { counts: false });
    expect(await inState(id!, "failed")).toMatchObject({ error_code: "gave_up" });
    await grader.stop();
  });

  it("are applied after the queue lost its count of deliveries", async () => {
    const [id] = await submit(1);
    const grader = stage.attach("returning");
    for (const _ of [1, 2]) {
      const taken = await nextOf(grader, id!);
      await started(taken, "returning");
      await stage.queue.report({ ...aboutOf(taken, "returning"), type: "released", reason: "stopping" });
      taken.returnToQueue();
    }
    const third = await nextOf(grader, id!);
    expect(third.delivery.delivery).toBe(3);
    const stopped = grader.abort();
    third.returnToQueue();
    await stopped;
    await inState(id!, "submitted");
    await stage.flush();
    const heir = stage.attach("heir");
    const again = await nextOf(heir, id!);
    expect(again.delivery.delivery).toBe(1);
    await stage.queue.report(finishedWith(again, "heir", 0.4));
    again.acknowledge();
    expect(await inState(id!, "graded")).toMatchObject({ score: 0.4 });
    await heir.stop();
  });

  it("that return a regrade's job do not count its start either", async () => {
    const { records } = stage.test;
    const { id: regrade } = await startRegrade(records, "test", new Date());
    const { submission, attempt } = await records.db
      .selectFrom("regrade_items")
      .selectAll()
      .where("regrade", "=", regrade)
      .orderBy("number")
      .executeTakeFirstOrThrow();
    const grader = stage.attach("returning");
    let taken = await nextOf(grader, submission, attempt);
    for (let returns = 0; returns < MAX_STARTS + 2; returns++) {
      await started(taken, "returning");
      await stage.queue.report({ ...aboutOf(taken, "returning"), type: "released", reason: "stopping" });
      taken.returnToQueue();
      taken = await nextOf(grader, submission, attempt);
    }
    await started(taken, "returning");
    await stage.queue.report(finishedWith(taken, "returning", 0.6));
    taken.acknowledge();
    const item = await until(async () =>
      records.db
        .selectFrom("regrade_items")
        .selectAll()
        .where("submission", "=", submission)
        .where("attempt", "=", attempt)
        .where("state", "=", "done")
        .executeTakeFirst(),
    );
    expect(item).toMatchObject({ result: "graded" });
    await cancelRegrade(records, "test", new Date());
    await grader.stop();
  });
});
