import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Grader } from "../../../shared/src/queue/contract/test-grader.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { finishedWith, type RedisBroker, startRedisBroker } from "../support/redis-broker.ts";
import { untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

describe.skipIf(withoutService("redis"))("the queue of a challenge", () => {
  let stage: RedisBroker;
  const keys = new Map<string, string>();
  beforeAll(async () => {
    stage = await startRedisBroker([{ rounds: [{ id: "1", parallel_limit: null }] }]);
    for (const name of ["bob", "eve"]) keys.set(name, await stage.test.addParticipant(name));
    keys.set("ada", stage.test.key);
  });
  afterAll(() => stage?.close());

  async function submit(name: string, count: number): Promise<string[]> {
    const client = await stage.test.connect({ key: keys.get(name)! });
    const ids: string[] = [];
    for (let i = 0; i < count; i++)
      ids.push((await client.submit({ input: { kind: "inline", data: { score: 1 } } })).submission.id);
    client.socket.disconnect();
    return ids;
  }
  async function placeOf(name: string, id: string): Promise<number | null> {
    const response = await stage.test.fetch(`/api/v1/submissions/${id}`, { key: keys.get(name)! });
    return ((await response.json()) as Submission).place;
  }
  async function gradeAll(grader: Grader, count: number): Promise<string[]> {
    const order: string[] = [];
    for (let i = 0; i < count; i++) {
      const taken = await grader.next();
      order.push(taken.id);
      await stage.queue.report(finishedWith(taken, "g", 1));
      taken.acknowledge();
    }
    return order;
  }

  it("shows each submission the position at which it is graded, however many others sent", async () => {
    const own = new Map<string, string>();
    const send = async (name: string, count: number) => {
      for (const id of await submit(name, count)) own.set(id, name);
    };
    await send("ada", 12);
    await send("bob", 3);
    await send("eve", 1);
    await send("bob", 1);
    const places = new Map<string, number | null>();
    for (const [id, name] of own) places.set(id, await placeOf(name, id));
    expect([...places.values()].slice(0, 4)).toEqual([1, 4, 6, 8]);
    expect([...places.values()].slice(12)).toEqual([2, 5, 7, 3, 9]);

    const watcher = await stage.test.connect();
    const last = [...own.keys()][11]!;
    const ended = untilEnd(watcher, last);
    const grader = stage.attach("g");
    const order = await gradeAll(grader, own.size);
    expect(order).toEqual([...own.keys()].sort((one, other) => places.get(one)! - places.get(other)!));
    await ended;
    await grader.stop();
  });

  it("lets a regrade and submissions take turns", async () => {
    const { records } = stage.test;
    const graded = await records.db.selectFrom("submissions").select("id").orderBy("number").execute();
    await until(async () => {
      const rows = await records.db
        .selectFrom("submissions")
        .select("id")
        .where("state", "=", "graded")
        .execute();
      return rows.length === graded.length;
    });
    await startRegrade(records, "test", new Date());
    await until(async () => {
      const items = await records.db.selectFrom("regrade_items").select("state").execute();
      return items.length === graded.length && items.every(({ state }) => state === "queued");
    });
    const live = await submit("ada", 5);
    const grader = stage.attach("h");
    const order = await gradeAll(grader, graded.length + live.length);
    const kinds = order.map((id) => (live.includes(id) ? "live" : "regrade"));
    expect(kinds.slice(0, 10).filter((kind) => kind === "live")).toHaveLength(5);
    expect(kinds.slice(0, 4).filter((kind) => kind === "live")).toHaveLength(2);
    await grader.stop();
  });
});
