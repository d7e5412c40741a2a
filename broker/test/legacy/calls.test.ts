import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Leaderboard, Limits, Submission } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { openChallenge } from "./legacy-challenge.ts";

const COMPLETE = "CrowdAI.Event.Job.COMPLETE";
const ERROR = "CrowdAI.Event.Job.ERROR";

/** An evaluator of vectors: `evaluate` and `submit` both return their sum as the score. */
const SUMS = [
  "import json, sys",
  "for line in sys.stdin:",
  "    job = json.loads(line)",
  "    total = sum(job['input']['data'])",
  "    print(json.dumps({'id': job['id'], 'type': 'result', 'score': total, 'score_secondary': -total}), flush=True)",
].join("\n");
const vectors = {
  id: "vectors",
  evaluator: { command: ["python3", "-c", SUMS], mode: "persistent", functions: ["submit", "evaluate"] },
};

describe("the calls of the published Python client", () => {
  let test: TestBroker;
  afterEach(() => test?.close());

  const board = async (id = "test", round = "1") =>
    (await (await test.fetch(`/api/v1/challenges/${id}/leaderboard?round=${round}`)).json()) as Leaderboard;
  const submissions = async () =>
    ((await (await test.fetch("/api/v1/submissions")).json()) as { submissions: Submission[] }).submissions;
  const open = (id = "test") => openChallenge(test.broker.url, test.key, id);

  it.each(["polling", "websocket"] as const)("have a file graded, over %s", async (transport) => {
    test = await startBroker();
    const challenge = await openChallenge(test.broker.url, test.key, "test", { transport });
    const { answer, progress } = await challenge.submit("0.75");
    const id = answer[0]?.data.submission_id;
    expect(answer).toHaveLength(1);
    expect(answer[0]).toMatchObject({
      response_type: COMPLETE,
      data: { score: 0.75, score_secondary: null, secondary_score: null },
    });
    expect(progress.map(({ state }) => state)).toEqual(["ENQUEUED", "RUNNING", "COMPLETE"]);
    expect(progress.map(({ job_id }) => job_id)).toEqual([id, id, id]);
    challenge.connection.close();

    // It is a submission like any other, everywhere.
    expect((await board()).rows).toMatchObject([{ participant: "ada", score: 0.75, submission: id }]);
    expect(await submissions()).toMatchObject([{ id, state: "graded", slot: "charged", rank: 1 }]);
    expect(await (await fetch(`${test.broker.url}/challenges/test`)).text()).toContain("0.75");
  });

  it("name a round by its number when the challenge has several", async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "first" }, { id: "second" }] }] });
    const challenge = await open();
    const file_key = await challenge.upload("0.5");
    const { answer } = await challenge.call("grade_submission", [{ file_key, round: 2 }]);
    expect(answer).toMatchObject([{ response_type: COMPLETE, data: { score: 0.5 } }]);
    expect((await board("test", "second")).rows).toHaveLength(1);
    expect((await board("test", "first")).rows).toHaveLength(0);
  });

  it("name the challenge by its client name in the common pool, as newer clients do", async () => {
    test = await startBroker();
    const challenge = await open();
    const { answer } = await challenge.submit("0.5", {
      challenge_id: undefined,
      challenge_client_name: "test",
      grader_id: "crowdAI_GRADER_POOL",
    });
    expect(answer).toMatchObject([{ response_type: COMPLETE, data: { score: 0.5 } }]);
  });

  it("request a small test, which is a function of its own in some challenges", async () => {
    const evaluator = { command: ["python3", "evaluate.py"], mode: "persistent" };
    test = await startBroker({
      challenges: [
        { id: "without", evaluator },
        { id: "with", evaluator: { ...evaluator, functions: ["submit", "small_test"] } },
      ],
    });
    for (const [id, entries] of [
      ["without", 1],
      ["with", 0],
    ] as const) {
      const challenge = await open(id);
      const file_key = await challenge.upload("0.5");
      const { answer } = await challenge.call("grade_submission", [{ file_key, small_test: true }]);
      expect(answer).toMatchObject([{ response_type: COMPLETE, data: { score: 0.5 } }]);
      expect((await board(id)).rows).toHaveLength(entries);
    }
  });

  it("submit a JSON value, small or too large for a modern message", async () => {
    test = await startBroker();
    const challenge = await open();
    for (const padding of [10, 200_000]) {
      const structure = { score: 0.5, secondary: 3, padding: "x".repeat(padding) };
      const { answer } = await challenge.call("submit", [structure]);
      expect(answer).toMatchObject([
        { response_type: COMPLETE, data: { score: 0.5, score_secondary: 3, secondary_score: 3 } },
      ]);
    }
    expect((await submissions()).map(({ input }) => input?.kind)).toEqual(["json", "json"]);
  });

  it("submit a vector itself as the list", async () => {
    test = await startBroker({ challenges: [vectors] });
    const challenge = await open("vectors");
    const { answer } = await challenge.call("submit", [0.5, 1, 2]);
    expect(answer).toMatchObject([{ data: { score: 3.5, score_secondary: -3.5, secondary_score: -3.5 } }]);
    expect((await board("vectors")).rows).toMatchObject([{ score: 3.5 }]);
  });

  it.each([true, false])(
    "evaluate a hundred vectors in one message, parallel %s, answered in order",
    async (parallel) => {
      test = await startBroker({ challenges: [vectors] });
      const challenge = await open("vectors");
      const data = Array.from({ length: 100 }, (_, i) => [i, 0.5]);
      const { answer, progress } = await challenge.call("evaluate", data, { parallel });
      expect(answer.map((entry) => entry.data.score)).toEqual(data.map(([i]) => Number(i) + 0.5));
      expect(answer[7]?.data.secondary_score).toBe(-7.5);
      const ends = progress.filter(({ state }) => state === "COMPLETE").map((one) => one.data_sequence_no);
      expect(ends.toSorted((a, b) => a - b)).toEqual(data.map((_, i) => i));
      if (!parallel) expect(ends).toEqual(data.map((_, i) => i));
      expect((await board("vectors")).rows).toHaveLength(0);
      expect(await submissions()).toHaveLength(0);
    },
  );

  it("receive progress, and what an evaluation returned besides a score", async () => {
    test = await startBroker();
    const challenge = await open();
    const { answer: graded, progress } = await challenge.call("submit", [{ score: 1, progress: [12.5] }]);
    expect(graded).toMatchObject([{ response_type: COMPLETE, data: { score: 1 } }]);
    const percents = progress
      .filter(({ state }) => state === "PROGRESS_UPDATE")
      .map(({ data }) => data.percent_complete);
    expect(percents).toEqual([12.5]);
    const { answer } = await challenge.call("evaluate", [{ x: 4 }]);
    expect(answer).toMatchObject([{ response_type: COMPLETE, data: { score: 8, x: 4, round: 1 } }]);
  });

  it("run side by side on one connection", async () => {
    test = await startBroker();
    const hold = join(test.folder, "hold");
    const challenge = await open();
    const slow = challenge.call("submit", [{ score: 1, hold }]);
    const quick = await challenge.call("evaluate", [{ x: 1 }]);
    expect(quick.answer).toMatchObject([{ data: { score: 2 } }]);
    writeFileSync(hold, "");
    expect((await slow).answer).toMatchObject([{ data: { score: 1 } }]);
  });

  it("leave a submission running when the client disconnects", async () => {
    test = await startBroker();
    const hold = join(test.folder, "hold");
    const challenge = await open();
    const started = Promise.withResolvers<void>();
    const message = challenge.message("submit", [{ score: 0.25, hold }]);
    challenge.connection.on(String(message.response_channel), (text) => {
      if (String(text).includes("Job.RUNNING")) started.resolve();
    });
    const answered = challenge.connection.emit("execute_function", message);
    await started.promise;
    challenge.connection.close();
    await expect(answered).rejects.toThrow("closed by the client");
    writeFileSync(hold, "");
    const [one] = await submissions();
    const events = await untilEnd(await test.connect(), one!.id);
    expect(events.at(-1)).toMatchObject({ type: "graded", data: { score: 0.25 } });
  });

  it("submit the rest of a list when the client disconnects, and start no further evaluation", async () => {
    test = await startBroker();
    const hold = join(test.folder, "hold");
    const challenge = await open();
    const gone = async (name: string, data: unknown[]) => {
      const leaving = await open();
      const message = leaving.message(name, data);
      leaving.connection.emit("execute_function", message).catch(() => {});
      await new Promise<void>((begun) =>
        leaving.connection.on(String(message.response_channel), () => begun()),
      );
      leaving.connection.close();
    };
    await gone("submit", [{ score: 1, hold }, { score: 2 }, { score: 3 }]);
    await expect.poll(async () => (await submissions()).length).toBe(3);
    writeFileSync(hold, "");
    await gone("evaluate", Array(500).fill({ x: 1 }));
    const { db } = test.records;
    const evaluations = () =>
      db.selectFrom("submissions").select("id").where("function", "=", "evaluate").execute();
    const before = (await evaluations()).length;
    expect(before).toBeLessThan(400);
    // Jobs that were running when the client left end first; then there are no more.
    await challenge.call("evaluate", [{ x: 1 }]);
    expect((await evaluations()).length).toBeLessThanOrEqual(before + 3);
  });

  it("take no slot and reveal no score in a dry run", async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] }] });
    const challenge = await open();
    for (const _ of [1, 2]) {
      const { answer } = await challenge.submit("0.5", { dry_run: true });
      expect(answer).toMatchObject([{ response_type: COMPLETE }]);
    }
    expect((await board()).rows).toHaveLength(0);
    const limits = (await (await test.fetch("/api/v1/challenges/test/limits")).json()) as Limits;
    expect(limits).toMatchObject({ used: 0, remaining: 1 });
  });

  it("receive limits, closed rounds and bad submissions as errors of their job", async () => {
    let now = Date.parse("2026-01-15T00:00:00Z");
    const round = { id: "1", ends_at: "2026-01-20T00:00:00Z", limit: { count: 2, per: "round" } };
    test = await startBroker({
      clock: () => new Date(now),
      challenges: [{ rounds: [round], accepts: { file: { max_bytes: 10, extensions: [".csv"] }, json: {} } }],
    });
    const challenge = await open();
    const refused = async (called: ReturnType<typeof challenge.call>, message: RegExp) => {
      const { answer, progress } = await called;
      expect(answer).toMatchObject([
        { response_type: ERROR, message: expect.stringMatching(message), data: { score: null } },
      ]);
      expect(progress.at(-1)).toMatchObject({ state: "ERROR", message: expect.stringMatching(message) });
    };
    await refused(challenge.call("submit", [{ reject: "row 17: unknown id" }]), /^row 17: unknown id$/);
    await refused(challenge.call("submit", [{ crash: true }]), /evaluator/);
    expect((await challenge.submit("0.5")).answer).toMatchObject([{ response_type: COMPLETE }]);
    await refused(challenge.submit("0.5"), /used all 2 submissions/);
    await refused(challenge.submit("0.123456789"), /waits a day|accepts at most/);
    now = Date.parse("2026-01-21T00:00:00Z");
    await refused(challenge.submit("0.5"), /ended at 2026-01-20/);
    expect(await submissions()).toHaveLength(3);
  });

  it("continue after a restart of the broker, with a new connection", async () => {
    test = await startBroker();
    const first = await open();
    const file_key = await first.upload("0.5");
    await test.restart();
    await first.connection.ended;
    const { answer } = await (await open()).call("grade_submission", [{ file_key }]);
    expect(answer).toMatchObject([{ data: { score: 0.5 } }]);
  });
});
