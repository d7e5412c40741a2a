import { readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { readRegrade } from "../../src/domain/regrade/regrade-status.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { sweepDeadlines } from "../../src/domain/submissions/sweep-deadlines.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;
const FILE = { kind: "file" as const, name: "a.csv", size: 3, sha256: "a".repeat(64) };
/** Digest of "abc". */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const value = (data: unknown) => ({ kind: "inline" as const, data });

let test: TestBroker;
let ahead = 0;
afterEach(async () => {
  ahead = 0;
  await test.close();
});
const start = async (options: Parameters<typeof startBroker>[0] = {}) => {
  test = await startBroker({ ...options, clock: () => new Date(Date.now() + ahead) });
  return test.connect();
};
const show = async (id: string) =>
  (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;

describe("an abandoned submission", () => {
  it("fails after a week without its bytes, and its slot is returned", async () => {
    const client = await start({ withGrader: false });
    const { submission } = await client.submit({ input: FILE });
    const end = untilEnd(client, submission.id);
    ahead = WEEK - MINUTE;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await show(submission.id)).state).toBe("initiated");
    // Found overdue, and given more time before it could be locked.
    const times = [WEEK + MINUTE, WEEK - MINUTE];
    const clock = () => new Date(Date.now() + (times.shift() ?? 0));
    const { records } = test;
    const unused = {} as never;
    await sweepDeadlines({
      ...{ records, clock, log: unused, objects: unused, queue: unused },
      ...{ announce() {}, dispatchSoon() {} },
    });
    expect(times).toEqual([]);
    expect((await show(submission.id)).state).toBe("initiated");
    ahead = WEEK + MINUTE;
    expect((await end).at(-1)).toMatchObject({
      type: "failed",
      data: {
        code: "upload_abandoned",
        slot: "returned",
        message: expect.stringContaining("was not completed"),
      },
    });
    await expect(client.ask("complete", { id: submission.id })).rejects.toMatchObject({ fault: "you" });
  });

  it("leaves nothing in the store that is uploaded after it was cancelled", async () => {
    const client = await start({ withGrader: false, intervals: { uploads: 200 } });
    const { submission, upload } = await client.submit({ input: { ...FILE, sha256: ABC } });
    await client.ask("cancel", { id: submission.id });
    const sent = await fetch(upload!.parts[0]!.url, { method: "PUT", body: "abc" });
    expect(sent.status).toBe(201);
    const stored = () =>
      readdirSync(join(test.folder, "data"), { recursive: true, withFileTypes: true }).some(
        (found) => found.isFile() && join(found.parentPath, found.name).includes(submission.id),
      );
    expect(stored()).toBe(true);
    ahead = WEEK;
    await until(async () => !stored());
  });

  it("fails after a week without a grader, and its slot is returned", async () => {
    const client = await start({ withGrader: false });
    const { submission } = await client.submit({ input: value({ score: 1 }) });
    const end = untilEnd(client, submission.id);
    ahead = WEEK + MINUTE;
    expect((await end).at(-1)).toMatchObject({
      type: "failed",
      data: { code: "deadline_passed", fault: "platform", slot: "returned" },
    });
    expect(await show(submission.id)).toMatchObject({ state: "failed", slot: "returned" });
  });
});

describe("a grading whose grader stopped responding", () => {
  const TIMEOUT = 60;
  const challenge = {
    evaluator: {
      command: ["python3", "evaluate.py"],
      mode: "persistent",
      functions: ["submit"],
      timeout_seconds: TIMEOUT,
    },
  };
  const overdue = () => {
    ahead += (TIMEOUT + 61) * 1000;
  };
  const attempts = () =>
    test.records.db.selectFrom("attempts").select(["number", "state"]).orderBy("number").execute();

  it("is restarted, and only the new attempt's outcome counts", async () => {
    const client = await start({ challenges: [challenge] });
    const hold = join(test.folder, "hold");
    const { submission } = await client.submit({ input: value({ hold, score: 0.5 }) });
    const end = untilEnd(client, submission.id);
    await until(async () => (await show(submission.id)).state === "grading");
    overdue();
    await until(async () => (await attempts()).length === 2);
    await writeFile(hold, "");
    const events = await end;
    expect(events.find(({ type }) => type === "requeued")?.data).toEqual({
      reason: "the grader stopped responding",
    });
    expect(events.filter(({ type }) => type === "graded")).toHaveLength(1);
    expect(await attempts()).toEqual([
      { number: 1, state: "lost" },
      { number: 2, state: "done" },
    ]);
    expect(await show(submission.id)).toMatchObject({ state: "graded", score: 0.5, slot: "charged" });
  });

  it("is given up after the third start, and its slot is returned", async () => {
    const client = await start({ challenges: [challenge] });
    const hold = join(test.folder, "hold");
    const { submission } = await client.submit({ input: value({ hold, score: 0.5 }) });
    const end = untilEnd(client, submission.id);
    for (const number of [1, 2, 3]) {
      await until(async () => {
        const state = await attempts();
        return state.length === number && state.at(-1)?.state === "started";
      });
      overdue();
    }
    expect((await end).at(-1)).toMatchObject({ type: "failed", data: { code: "gave_up", slot: "returned" } });
    await writeFile(hold, "");
  });

  it("is restarted in a regrade as well, and the old grade counts until then", async () => {
    const client = await start({ challenges: [challenge] });
    const hold = join(test.folder, "hold");
    await writeFile(hold, "");
    const { submission } = await client.submit({ input: value({ hold, score: 0.5 }) });
    await untilEnd(client, submission.id);
    await rm(hold);
    const { id } = await startRegrade(test.records, "test", new Date(Date.now() + ahead));
    const items = () =>
      test.records.db.selectFrom("regrade_items").select(["attempt", "state", "result"]).execute();
    for (const more of [0, 1]) {
      await until(async () => (await items())[0]?.state === "grading");
      const { attempt } = (await items())[0]!;
      expect(await show(submission.id)).toMatchObject({ state: "graded", score: 0.5 });
      if (more) break;
      overdue();
      await until(async () => (await items())[0]!.attempt > attempt);
    }
    await writeFile(hold, "");
    await until(async () => (await readRegrade(test.records.db, { id }))?.state === "done");
    expect(await readRegrade(test.records.db, { id })).toMatchObject({
      submissions: 1,
      graded: 1,
      failed: 0,
    });
  });
});
