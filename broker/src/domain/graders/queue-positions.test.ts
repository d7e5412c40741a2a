import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledQuery } from "kysely";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Db, Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { createQueuePositions, inFairOrder, readQueue, readServed } from "./queue-positions.ts";

const LENGTH = 300;
let folder: string;
let records: Records;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-lines-"));
  records = await openSqlite(join(folder, "records.sqlite"));
  await records.db
    .insertInto("participants")
    .values(["ada", "bob", "eve"].map((name) => ({ name, name_key: name, created_at: "" })))
    .execute();
  for (const challenge of ["iris", "other"])
    await records.db
      .insertInto("submissions")
      .values(Array.from({ length: LENGTH }, (_, index) => submission(challenge, index)))
      .execute();
});
afterEach(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const submission = (challenge: string, index: number, participant_id = 1) => ({
  id: `${challenge}-${index}`,
  challenge,
  participant_id,
  round: "main",
  function: "submit",
  state: "submitted" as const,
  message: null,
  dry_run: 0 as const,
  post_challenge: 0 as const,
  input_kind: "json" as const,
  input_name: null,
  input_size: 2,
  input_sha256: "",
  input_data: "{}",
  input_key: null,
  created_at: "",
  accepted_at: "",
  deadline_at: "",
  attempt: 1,
  starts: 0,
  seq: 2,
  model_count: 0,
});
const leave = (count: number) =>
  records.db
    .updateTable("submissions")
    .set({ state: "graded" })
    .where("challenge", "=", "iris")
    .where("number", "<=", count)
    .execute();

/** Returns the same database, which reports how many rows each prepared statement returned. */
function watched(db: Db, onRows: (rows: number) => void): Db {
  const executor = db.getExecutor();
  const reporting = executor.withConnectionProvider({
    provideConnection: (use) =>
      executor.provideConnection((connection) =>
        use({
          ...connection,
          async executeQuery<R>(query: CompiledQuery) {
            const result = await connection.executeQuery<R>(query);
            onRows(result.rows.length);
            return result;
          },
        }),
      ),
  });
  return new Proxy(db, {
    get(target, name) {
      if (name === "getExecutor") return () => reporting;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

it("a position in a long queue is exact, except for submissions that left it a moment ago", async () => {
  let now = 1000;
  const positions = createQueuePositions(() => now);
  const place = (index: number, challenge = "iris", first = 0) =>
    positions.placeOf(records.db, { challenge, number: first + index + 1, participant_id: 1 });
  for (const index of [0, 50, 200, 201, 299, 150]) expect(await place(index)).toBe(index + 1);
  expect(await place(7, "other", LENGTH)).toBe(8);
  await leave(60);
  now += 50;
  expect(await place(299)).toBeOneOf([300, 240]);
  now += 100;
  expect(await place(299)).toBe(240);
  expect(await place(70)).toBe(11);
});

it("a queue that takes long to read is read once for all who ask, and they use the last reading meanwhile", async () => {
  let now = 1000;
  let whole = 0;
  const positions = createQueuePositions(() => now);
  const ask = (index: number) =>
    positions.placeOf(slow, { challenge: "iris", number: index + 1, participant_id: 1 });
  // Each statement that reads the queue from its start takes 20 ms.
  const slow = watched(records.db, (rows) => {
    if (rows < 200) return;
    whole++;
    now += 20;
  });
  expect(await ask(299)).toBe(300);
  whole = 0;
  await leave(60);
  now += 300;
  expect(await ask(299)).toBe(300);
  expect(whole).toBe(0);
  now += 200;
  // The first of them reads it again; none of them waits for that.
  expect(await Promise.all(Array.from({ length: 20 }, () => ask(299)))).toContain(300);
  await vi.waitFor(() => expect(whole).toBe(1));
  await vi.waitFor(async () => expect(await ask(299)).toBe(240));
  now += 3000;
  await leave(100);
  // No one gets an old reading.
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => ask(299))))).toEqual(new Set([200]));
});

it("a short queue is read once for all who ask at the same moment, and again for the next", async () => {
  await leave(LENGTH - 20);
  let whole = 0;
  const counted = watched(records.db, (rows) => {
    if (rows >= 10) whole++;
  });
  const positions = createQueuePositions();
  const places = (numbers: readonly number[], db: Db = counted) =>
    Promise.all(
      numbers.map((number) => positions.placeOf(db, { challenge: "iris", number, participant_id: 1 })),
    );
  const all = Array.from({ length: 20 }, (_, index) => LENGTH - 19 + index);
  expect(await places(all)).toEqual(all.map((_, index) => index + 1));
  expect(whole).toBe(1);
  await leave(LENGTH - 15);
  expect(await places(all.slice(-15))).toEqual(all.slice(0, 15).map((_, index) => index + 1));
  expect(whole).toBe(2);
  // A transaction reads what it has changed itself.
  const refused = records.db.transaction().execute(async (trx) => {
    await trx
      .updateTable("submissions")
      .set({ state: "graded" })
      .where("number", "<=", LENGTH - 10)
      .execute();
    const [within, outside] = await Promise.all([places([LENGTH], trx), places([LENGTH])]);
    expect([within, outside]).toEqual([[10], [15]]);
    throw new Error("undone");
  });
  await expect(refused).rejects.toThrow("undone");
});

it("a queue of many statements is read whole", async () => {
  const more = Array.from({ length: 1300 }, (_, index) => submission("many", index));
  for (const rows of [more.slice(0, 650), more.slice(650)])
    await records.db.insertInto("submissions").values(rows).execute();
  const queue = await readQueue(records.db, "many");
  expect(queue.map(({ id }) => id)).toEqual(more.map(({ id }) => id));
  const last = queue.at(-1)!;
  expect(await createQueuePositions().placeOf(records.db, { challenge: "many", ...last })).toBe(1300);
});

it("a position is the fair one: everyone's first comes before anyone's second", async () => {
  const positions = createQueuePositions();
  const place = async (id: string) =>
    positions.placeOf(
      records.db,
      await records.db
        .selectFrom("submissions")
        .select(["challenge", "number", "participant_id"])
        .where("id", "=", id)
        .executeTakeFirstOrThrow(),
    );
  const add = (index: number, participant: number) =>
    records.db
      .insertInto("submissions")
      .values(submission("iris", index, participant))
      .execute();
  await add(1000, 2);
  expect(await place("iris-1000")).toBe(2);
  for (const [index, participant] of [1001, 1002, 1003].entries())
    await add(participant, index === 2 ? 3 : 2);
  // Ada, Bob, Eve; Ada, Bob; Ada, Bob; the rest is Ada's.
  const expected = { "iris-0": 1, "iris-1000": 2, "iris-1003": 3, "iris-1": 4, "iris-1001": 5, "iris-2": 6 };
  for (const [id, at] of Object.entries({ ...expected, "iris-1002": 7, "iris-3": 8, "iris-299": 304 }))
    expect(await place(id), id).toBe(at);

  const queue = await readQueue(records.db, "iris");
  const order = inFairOrder(queue, await readServed(records.db, "iris", "")).map(({ id }) => id);
  for (const id of order.slice(0, 20)) expect(await place(id)).toBe(order.indexOf(id) + 1);
});

it("the participant who was served last waits longest, and turns keep their order in every round", async () => {
  await leave(LENGTH);
  const sent = [1, 2, 2, 1, 3, 1, 3];
  for (const [index, participant] of sent.entries())
    await records.db
      .insertInto("submissions")
      .values({ ...submission("iris", 1000 + index, participant), accepted_at: "2026-01-01T10:00" })
      .execute();
  const positions = createQueuePositions();
  const shown = async () => {
    const queue = await readQueue(records.db, "iris");
    const served = await readServed(records.db, "iris", "2026-01-01T10:00");
    const order = inFairOrder(queue, served).map(({ id }) => Number(id.slice("iris-100".length)));
    for (const { id, ...rest } of queue) {
      const place = await positions.placeOf(records.db, { challenge: "iris", ...rest });
      expect(order[place - 1]).toBe(Number(id.slice("iris-100".length)));
    }
    return order;
  };
  const start = async (index: number, at: string) => {
    const id = `iris-100${index}`;
    await records.db.updateTable("submissions").set({ state: "grading" }).where("id", "=", id).execute();
    await records.db
      .insertInto("attempts")
      .values({ submission: id, number: 1, state: "started", started_at: at, delivery: 1, accepted: 0 })
      .execute();
  };
  // Ada, Bob, Eve; then the same again.
  expect(await shown()).toEqual([0, 1, 4, 3, 2, 6, 5]);
  await start(0, "2026-01-01T10:01");
  expect(await shown()).toEqual([1, 4, 3, 2, 6, 5]);
  await start(1, "2026-01-01T10:02");
  expect(await shown()).toEqual([4, 3, 2, 6, 5]);
  await start(4, "2026-01-01T10:03");
  expect(await shown()).toEqual([3, 2, 6, 5]);
  // Jobs served before the queue was last empty do not count.
  await records.db.updateTable("attempts").set({ started_at: "2026-01-01T09:00" }).execute();
  expect(await shown()).toEqual([2, 3, 6, 5]);
});

it("a submission that waits for its code delays no other", async () => {
  await leave(LENGTH - 1);
  await records.db
    .insertInto("submissions")
    .values(submission("iris", 1000, 2))
    .execute();
  const row = { challenge: "iris", number: 2 * LENGTH + 1, participant_id: 2 };
  const positions = createQueuePositions();
  expect(await positions.placeOf(records.db, row)).toBe(2);
  await records.db
    .insertInto("submission_code")
    .values({
      ...{
        submission: `iris-${LENGTH - 1}`,
        challenge: "iris",
        participant_id: 1,
        state: "awaited",
        holds: 1,
      },
      ...{ commit_name: "", tree: "", files: 1, bytes: 1 },
    })
    .execute();
  expect(await positions.placeOf(records.db, row)).toBe(1);
});
