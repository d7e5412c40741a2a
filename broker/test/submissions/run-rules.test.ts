import type { PublicChallenge, Submission } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPlainGit, type PlainGit, type Snapshot } from "../code/plain-git.ts";
import { openChallenge } from "../legacy/legacy-challenge.ts";
import { push, RUN, runChallenge, submitRun } from "../support/run-challenge.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const WEEK = 7 * 24 * 3600 * 1000;

describe("a submission to a challenge that runs code", () => {
  let test: TestBroker;
  let git: PlainGit;
  let ahead = 0;
  let one: Snapshot;
  let two: Snapshot;
  let people = 0;
  beforeAll(async () => {
    [test, git] = await Promise.all([
      startBroker({
        withGrader: false,
        clock: () => new Date(Date.now() + ahead),
        challenges: [
          runChallenge({ accepts: { code: { max_bytes: 1000 } } }),
          runChallenge({ id: "named", run: { ...RUN, command: "submission" } }),
          { id: "plain" },
        ],
      }),
      createPlainGit(),
    ]);
    [one, two] = [await git.snapshot({ "main.py": "1" }), await git.snapshot({ "main.py": "print(2)" })];
  });
  afterAll(() => Promise.all([test?.close(), git?.close()]));

  const newcomer = () => test.addParticipant(`participant ${++people}`);
  const view = async (id: string, key: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const refusal = (snapshot: Snapshot | null, options: Parameters<typeof submitRun>[2] = {}) =>
    submitRun(test, snapshot, options).then(
      () => null,
      (error) => error,
    );

  it.each([
    ["a file", { kind: "file" as const, name: "a.csv", size: 3, sha256: "0".repeat(64) }, "not files"],
    ["a value", { kind: "inline" as const, data: { score: 1 } }, "not JSON values"],
    ["a large value", { kind: "json" as const, name: null, size: 3, sha256: "0".repeat(64) }, "not JSON"],
  ])("cannot be %s", async (_, input, words) => {
    expect(await refusal(one, { input })).toMatchObject({
      code: "kind_not_accepted",
      message: expect.stringContaining(words),
      next: "Submit your code: crowdai submit --code -c test",
      details: { accepts: ["code"] },
    });
  });

  it("needs its code, within the limit, and has no dry run and no other function", async () => {
    expect(await refusal(null)).toMatchObject({ code: "code_required" });
    expect(await refusal({ ...one, bytes: 1001 })).toMatchObject({ code: "code_too_large" });
    expect(await refusal(one, { dry_run: true })).toMatchObject({
      code: "usage",
      next: expect.stringContaining("crowdai submit --code --dry-run"),
    });
    expect(await refusal(one, { function: "evaluate" })).toMatchObject({ code: "function_unknown" });
    const items = [{ id: createSubmissionId(), data: { x: 1 } }];
    const call = { challenge: "test", function: "submit", round: null, dry_run: true, items };
    const answer = await test.fetch("/api/v1/calls", { method: "POST", body: call });
    expect(await answer.json()).toMatchObject({ error: { code: "kind_not_accepted" } });
  });

  it("cannot be code alone where the challenge runs none", async () => {
    expect(await refusal(one, { challenge: "plain" })).toMatchObject({
      code: "kind_not_accepted",
      message: "plain accepts file or json submissions, not code alone.",
    });
  });

  it("names its command where the challenge leaves that to participants", async () => {
    const key = await newcomer();
    const named = { challenge: "named", key };
    expect(await refusal(one, named)).toMatchObject({
      code: "code_invalid",
      next: expect.stringContaining("crowdai.json"),
    });
    expect(await refusal(one, { ...named, command: ["a\0b"] })).toMatchObject({ code: "code_invalid" });
    expect(await refusal(one, { ...named, command: [] })).toMatchObject({ code: "usage" });
    expect((await submitRun(test, one, { ...named, command: ["./main"] })).submission.state).toBe(
      "submitted",
    );
  });

  it("is accepted at once, and waits for its code", async () => {
    const key = await newcomer();
    const { submission, code, upload } = await submitRun(test, one, { key });
    expect(submission).toMatchObject({
      ...{ state: "submitted", slot: "reserved", waiting: "waiting for the code", run: null },
      input: { kind: "code", name: null, size: 1, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(submission.accepted_at).toBe(submission.created_at);
    expect([upload, code?.have]).toEqual([null, false]);
  });

  it("sent again, also many times at once, is the same submission", async () => {
    const key = await newcomer();
    const id = createSubmissionId();
    const receipts = await Promise.all(Array.from({ length: 6 }, () => submitRun(test, one, { key, id })));
    expect(new Set(receipts.map(({ submission }) => submission.number)).size).toBe(1);
    const slots = await test.records.db
      .selectFrom("slots")
      .selectAll()
      .where("submission", "=", id)
      .execute();
    expect(slots).toHaveLength(1);
    for (const other of [{ challenge: "named", command: ["a"] }, { key: await newcomer() }])
      expect(await refusal(one, { key, id, ...other })).toMatchObject({ code: "id_conflict" });
  });

  it("sent again with another tree is that one until code has arrived, and then another submission", async () => {
    const key = await newcomer();
    const { submission } = await submitRun(test, one, { key });
    const { id } = submission;
    const again = await submitRun(test, two, { key, id });
    expect(again.submission).toMatchObject({
      ...{ number: submission.number, state: "submitted", waiting: "waiting for the code" },
      ...{ input: { size: 8 }, code: { commit: two.commit, state: "awaited" } },
    });
    expect(again.submission.input?.sha256).not.toBe(submission.input?.sha256);
    expect((await push(git, again, one, key)).stderr).toContain("was registered with commit");
    expect((await push(git, again, two, key)).code).toBe(0);
    expect((await view(id, key)).code?.state).toBe("stored");
    expect(await refusal(one, { key, id })).toMatchObject({ code: "id_conflict" });
    expect(await refusal(null, { key, id })).toMatchObject({ code: "id_conflict" });
    expect((await submitRun(test, two, { key, id })).submission).toMatchObject({ input: { size: 8 } });
  });

  it("sent again with another command is run with that until code has arrived", async () => {
    const named = { challenge: "named", key: await newcomer() };
    const { submission } = await submitRun(test, one, { ...named, command: ["./a"] });
    const { id } = submission;
    await submitRun(test, one, { ...named, id, command: ["./b"] });
    const { input_data } = await test.records.db
      .selectFrom("submissions")
      .select("input_data")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(input_data).toBe('["./b"]');
    expect(await refusal(one, { ...named, id })).toMatchObject({ code: "code_invalid" });
  });

  it("waits on when its push is refused", async () => {
    const key = await newcomer();
    const large = await git.snapshot({ "main.py": "1".repeat(1001) });
    const receipt = await submitRun(test, { ...large, bytes: 1 }, { key });
    expect((await push(git, receipt, large, key)).stderr).toContain("code_too_large");
    expect((await view(receipt.submission.id, key)).waiting).toBe("waiting for the code");
    const smaller = await submitRun(test, two, { key, id: receipt.submission.id });
    expect((await push(git, smaller, two, key)).code).toBe(0);
  });

  it("takes code that the broker has already from there", async () => {
    const key = await newcomer();
    const first = await submitRun(test, one, { key });
    await push(git, first, one, key);
    const second = await submitRun(test, one, { key });
    expect(second).toMatchObject({ code: { have: true }, submission: { code: { state: "stored" } } });
    // Announced again with a tree that is stored.
    const third = await submitRun(test, two, { key });
    const { submission } = await submitRun(test, one, { key, id: third.submission.id });
    expect(submission).toMatchObject({ input: { size: 1 }, code: { state: "stored" } });
  });

  it("whose code never comes fails, and its slot is returned", async () => {
    const key = await newcomer();
    const { submission } = await submitRun(test, one, { key });
    ahead = WEEK + 60_000;
    const failed = await until(async () => {
      const now = await view(submission.id, key);
      return now.state === "failed" && now;
    });
    ahead = 0;
    expect(failed).toMatchObject({ error: { code: "code_missing" }, slot: "returned" });
    expect(await refusal(two, { key, id: submission.id })).toMatchObject({ code: "id_conflict" });
  });

  it("cannot be a file or a value of an older client", async () => {
    const challenge = await openChallenge(test.broker.url, test.key);
    const words = "test runs submitted code; it accepts code submissions, not ";
    expect((await challenge.submit("0.5")).answer).toMatchObject([{ message: `${words}files.` }]);
    for (const more of [{}, { dry_run: true }])
      expect((await challenge.call("submit", [{ score: 1 }], more)).answer).toMatchObject([
        { message: `${words}JSON values.` },
      ]);
    challenge.connection.close();
  });

  it("is described with the challenge, without its private files", async () => {
    const challenge = async (id: string) =>
      (await (await test.fetch(`/api/v1/challenges/${id}`)).json()) as PublicChallenge;
    expect(await challenge("test")).toMatchObject({
      accepts: { file: null, json: null, code: { max_bytes: 1000 } },
      code: { capture: "required" },
      run: {
        ...{ command: ["python3", "main.py"], image: "host", build: false, sample: false, logs: "sample" },
        output: "predictions.csv",
        limits: { wall_seconds: 100, cpu_seconds: null, memory_mb: 2048, output_bytes: 67_108_864 },
      },
    });
    expect((await challenge("named")).run?.command).toBeNull();
    expect((await challenge("plain")).run).toBeNull();
  });
});
