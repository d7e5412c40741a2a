import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leaderboard, Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

/** An evaluator whose verdict on `given` is a few lines of Python. */
const evaluator = (verdict: string) => `
import json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    given = job["input"]["data"]
    def say(**event): print(json.dumps({"id": job["id"], **event}), flush=True)
${verdict.replace(/^/gm, "    ")}
`;
const AS_GIVEN = `
if given["score"] == 666: sys.exit(3)
say(type="result", score=given["score"])`;

describe("a regrade", () => {
  let test: TestBroker;
  let source: string;
  let bob: string;
  beforeEach(async () => {
    test = await startBroker({ challenges: [] });
    bob = await test.addParticipant("bob");
    source = await mkdtemp(join(tmpdir(), "crowdai-source-"));
    await setVersion(AS_GIVEN);
    await until(async () => (await test.fetch("/api/v1/challenges/test")).ok);
  });
  afterEach(async () => {
    await test.close();
    await rm(source, { recursive: true, force: true });
  });

  const command = (...args: string[]) =>
    runCommand(test.folder, ["challenge", ...args, "--data", join(test.folder, "data")]);
  const regrade = async (...args: string[]) => {
    const ran = await command("regrade", "test", "--format", "json", ...args);
    return { ...ran, regrade: ran.stdout === "" ? null : JSON.parse(ran.stdout).regrade };
  };
  async function setVersion(verdict: string): Promise<void> {
    const limit = { count: 10, per: "day" };
    const dir = await writeChallenge(source, { rounds: [{ id: "1", limit }] });
    await writeFile(join(dir, "evaluate.py"), evaluator(verdict));
    expect((await command("add", dir)).code).toBe(0);
  }
  async function submit(score: number, key = test.key): Promise<string> {
    const client = await test.connect({ key });
    const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
    await untilEnd(client, submission.id);
    client.socket.disconnect();
    return submission.id;
  }
  const show = async (id: string, key = test.key) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const board = async () => {
    const { rows } = (await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard;
    return rows.map(({ rank, participant, score }) => [rank, participant, score]);
  };

  it("shows the old grades until all new ones are in, then swaps scores, slots, ranks and the board at once", async () => {
    const high = await submit(3);
    const low = await submit(1);
    const crashed = await submit(666);
    const bobs = await submit(2, bob);
    expect(await show(crashed)).toMatchObject({ state: "failed", slot: "returned" });
    const before = [
      [1, "ada", 3],
      [2, "bob", 2],
    ];
    expect(await board()).toEqual(before);
    const events = await test.records.db.selectFrom("events").selectAll().orderBy("seq").execute();

    const hold = join(test.folder, "hold");
    await setVersion(`
while given["score"] == 2 and not os.path.exists(${JSON.stringify(hold)}): time.sleep(0.01)
if given["score"] == 3: say(type="error", message="row 1 is wrong")
else: say(type="result", score=given["score"] / 10)`);
    await until(async () => (await regrade("--no-wait")).code === 0);
    const half = await until(async () => {
      const { regrade: now } = await regrade("--status");
      return now.done === 3 && now;
    });
    expect(half).toMatchObject({ state: "running", submissions: 4 });
    expect(await board()).toEqual(before);
    expect(await show(high)).toMatchObject({ state: "graded", score: 3, regraded: null, rank: 1 });
    expect(await regrade()).toMatchObject({ code: 2, stderr: expect.stringContaining("regrade_running") });

    await writeFile(hold, "");
    const after = await until(async () => {
      const { regrade: now } = await regrade("--status");
      return now.state === "done" && now;
    });
    expect(after).toMatchObject({ submissions: 4, done: 4, graded: 3, failed: 1, kept: 0 });
    expect(await board()).toEqual([
      [1, "ada", 66.6],
      [2, "bob", 0.2],
    ]);
    expect(await show(high)).toMatchObject({
      state: "failed",
      score: null,
      rank: null,
      slot: "charged",
      error: { code: "rejected", message: "row 1 is wrong" },
      regraded: { score_before: 3 },
      attempt: 2,
    });
    expect(await show(low)).toMatchObject({ state: "graded", score: 0.1, best: false, rank: 1 });
    expect(await show(crashed)).toMatchObject({
      state: "graded",
      score: 66.6,
      slot: "charged",
      error: null,
      rank: 1,
      best: true,
      regraded: { score_before: null },
    });
    expect(await show(bobs, bob)).toMatchObject({ score: 0.2, rank: 2, rank_before: 2 });
    const versions = new Set([(await show(low)).evaluator_version, (await show(crashed)).evaluator_version]);
    expect([...versions]).toEqual([after.version]);
    // Histories are unchanged; all earlier attempts exist, with their outcomes.
    expect(await test.records.db.selectFrom("events").selectAll().orderBy("seq").execute()).toEqual(events);
    const attempts = await test.records.db
      .selectFrom("attempts")
      .select(["number", "accepted", "outcome"])
      .where("submission", "=", high)
      .orderBy("number")
      .execute();
    expect(attempts).toMatchObject([
      { number: 1, accepted: 0, outcome: expect.stringContaining('"score":3') },
      { number: 2, accepted: 1, outcome: expect.stringContaining("row 1 is wrong") },
    ]);
  });

  it("gives equal scores for equal inputs, and can be repeated", async () => {
    const ids = [await submit(2), await submit(2), await submit(1)];
    await setVersion('say(type="result", score=given["score"] * 7 + 0.125)');
    for (const times of [1, 2]) {
      const { code, regrade: done } = await regrade();
      expect({ code, done }).toMatchObject({ code: 0, done: { state: "done", graded: 3 } });
      const scores = await Promise.all(ids.map(async (id) => (await show(id)).score));
      expect(scores).toEqual([14.125, 14.125, 7.125]);
      expect((await show(ids[0] as string)).attempt).toBe(1 + times);
    }
  });

  it("keeps a grade when the evaluator or the platform failed, and reports how many and why", async () => {
    const id = await submit(2);
    const fine = await submit(5);
    await setVersion('if given["score"] == 2: sys.exit(3)\nsay(type="result", score=given["score"] + 1)');
    const ran = await command("regrade", "test");
    expect(ran.stdout).toMatch(/2 submissions re-graded by .*: 1 graded, 0 failed, 1 kept their old outcome/);
    expect(ran.stdout).toMatch(/kept 1: evaluator_crashed/);
    expect(await show(id)).toMatchObject({ state: "graded", score: 2, regraded: null, slot: "charged" });
    expect(await show(fine)).toMatchObject({ score: 6, regraded: { score_before: 5 } });
    expect(await board()).toEqual([[1, "ada", 6]]);
  });

  it("is run by the command itself when no broker is running", async () => {
    const id = await submit(2);
    await setVersion('say(type="result", score=given["score"] * 2)');
    await test.broker.stop();
    const { code, regrade: done, stderr } = await regrade("--challenges", "nowhere", "--concurrency", "1");
    expect({ code, done, stderr }).toMatchObject({ code: 0, done: { state: "done", graded: 1 } });
    expect(stderr).toContain("1 of 1 re-graded");
    await test.restart();
    expect(await show(id)).toMatchObject({ score: 4, regraded: { score_before: 2 } });
  });

  it("continues after the broker was restarted in the middle", async () => {
    const ids = [await submit(1), await submit(2), await submit(3)];
    const hold = join(test.folder, "hold");
    await setVersion(`
while given["score"] > 1 and not os.path.exists(${JSON.stringify(hold)}): time.sleep(0.01)
say(type="result", score=given["score"] * 2)`);
    expect((await regrade("--no-wait")).code).toBe(0);
    await until(async () => (await regrade("--status")).regrade.done === 1);
    const stopping = test.restart();
    await writeFile(hold, "");
    await stopping;
    await until(async () => (await regrade("--status")).regrade.state === "done");
    expect(await Promise.all(ids.map(async (id) => (await show(id)).score))).toEqual([2, 4, 6]);
  });

  it("can be cancelled: every outcome stays, and late reports are rejected", async () => {
    const id = await submit(2);
    const hold = join(test.folder, "hold");
    await setVersion(`
while not os.path.exists(${JSON.stringify(hold)}): time.sleep(0.01)
say(type="result", score=9)`);
    expect((await regrade("--no-wait")).code).toBe(0);
    const started = () =>
      test.records.db
        .selectFrom("regrade_items")
        .select("attempt")
        .where("state", "=", "grading")
        .executeTakeFirst();
    await until(started);
    expect((await regrade("--cancel")).regrade).toMatchObject({ state: "cancelled", kept: 1 });
    await writeFile(hold, "");
    // The next one is queued behind the held one, so it ends after the late report.
    expect((await regrade()).regrade).toMatchObject({ state: "done", graded: 1 });
    expect(await show(id)).toMatchObject({ score: 9, attempt: 3 });
    expect(await regrade("--cancel")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("No regrade"),
    });
  });

  it("skips calls, dry runs, cancelled submissions, and submissions that arrived after its start", async () => {
    const client = await test.connect();
    const dry = await client.submit({ dry_run: true, input: { kind: "inline", data: { score: 4 } } });
    await untilEnd(client, dry.submission.id);
    expect((await regrade()).regrade).toMatchObject({ state: "done", submissions: 0 });
    expect(await show(dry.submission.id)).toMatchObject({ regraded: null, attempt: 1 });
  });

  it("of an unknown challenge suggests a similar id", async () => {
    const ran = await command("regrade", "tets");
    expect(ran).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining('did you mean "test"'),
    });
    expect(await regrade("--status")).toMatchObject({ code: 2, stderr: expect.stringContaining("never") });
  });
});
