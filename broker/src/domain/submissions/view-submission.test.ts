import { parseExact, type Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  BOB,
  type Domain,
  failed,
  graded,
  INTENT,
  MINUTE,
  openDomain,
} from "../../../test/support/domain.ts";
import { readArtifacts } from "./artifacts.ts";
import { HOLDS } from "./submission-code.ts";
import { readSurroundings, viewSubmission } from "./view-submission.ts";

const { id } = INTENT;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ rounds: [{ id: "1", parallel_limit: null, ends_at: "2026-03-11T12:00:00Z" }] });
});
afterEach(() => domain.close());

const view = async (): Promise<Submission> => viewSubmission(domain.services, domain.db, await domain.row());
const grade = async (more: object = {}) => {
  await domain.submit();
  return domain.report({ type: "finished", outcome: graded(0.5, more) });
};
const disqualify = (decision: "disqualified" | "reinstated", challenge: string | null, who = ADA) =>
  domain.db
    .insertInto("disqualifications")
    .values({ participant_id: who.id, challenge, decision, reason: "copied", at: domain.at() })
    .execute();

describe("a submission as its participant sees it", () => {
  it("says where it is, what was sent, and nothing of a result that it does not have", async () => {
    await domain.submit({ message: "first" });
    expect(await view()).toMatchObject({
      ...{ id, number: 1, challenge: "sums", participant: "ada", round: "1", function: "submit" },
      ...{ state: "submitted", message: "first", post_challenge: false, attempt: 1, seq: 2 },
      input: { kind: "json", name: null, size: 7 },
      ...{ score: null, score_final: null, data: null, error: null, best: null, regraded: null },
      ...{ slot: "reserved", selected: false, code: null, publish: false, disqualified: null },
      ...{ run: null, environment: null, artifacts: [], columns: {} },
      url: `http://broker/submissions/${id}`,
    });
  });

  it("has a queue position while it waits, and only then", async () => {
    await domain.submit();
    expect(await view()).toMatchObject({ place: 1, graders: 0, waiting: expect.stringContaining("grader") });
    await domain.set({ outside_status: "submitted" });
    expect(await view()).toMatchObject({ place: null, graders: null, waiting: null, expected_at: null });
    await domain.set({ outside_status: null, state: "grading" });
    expect(await view()).toMatchObject({ place: null, graders: null, waiting: null, expected_at: null });
  });

  it("waits for its code while that holds it", async () => {
    await domain.submit();
    await domain.addCode(id, HOLDS.until_stored);
    expect(await view()).toMatchObject({ waiting: "waiting for the code", code: { state: "awaited" } });
    await domain.db.updateTable("submission_code").set({ holds: HOLDS.no }).execute();
    expect((await view()).waiting).not.toBe("waiting for the code");
    await domain.db.updateTable("submission_code").set({ holds: HOLDS.until_stored }).execute();
    await domain.set({ state: "grading" });
    expect((await view()).waiting).toBeNull();
  });

  it("has its grade, and the numbers of the challenge's columns", async () => {
    domain.serve({ columns: [{ key: "f1", title: "F1", precision: 2 }] });
    await grade({ data: { f1: 0.25 } });
    const text = '{"f1":0.25,"big":12345678901234567890}';
    await domain.set({ data: text });
    expect(await view()).toMatchObject({
      ...{ state: "graded", score: 0.5, columns: { f1: 0.25 }, best: true, rank: 1, slot: "charged" },
      data: parseExact(text),
    });
    await domain.set({ state: "failed", best: 0 });
    const { columns, best } = await view();
    expect([columns, best]).toEqual([{}, false]);
    domain.challenges.clear();
    await domain.set({ state: "graded" });
    expect((await view()).columns).toEqual({});
  });

  it("shows a final score only once its round has ended, and only of a grade", async () => {
    await grade({ score_final: 0.75 });
    expect((await view()).score_final).toBeNull();
    domain.pass(2 * 24 * 60 * MINUTE);
    expect((await view()).score_final).toBe(0.75);
    await domain.set({ state: "failed" });
    expect((await view()).score_final).toBeNull();
  });

  it("says which it is of a participant's selection", async () => {
    await grade();
    await domain.submit({ id: "submission-2" });
    const key = { challenge: "sums", round: "1", participant_id: ADA.id, selected_at: domain.at() };
    await domain.db
      .insertInto("final_selections")
      .values({ ...key, submission: "submission-2" })
      .execute();
    expect((await view()).selected).toBe(false);
    await domain.db
      .insertInto("final_selections")
      .values({ ...key, submission: id })
      .execute();
    expect((await view()).selected).toBe(true);
  });

  it("names the error with its own message, or that of the catalog", async () => {
    await domain.submit();
    await domain.report({ type: "finished", outcome: failed("rejected") });
    expect((await view()).error).toMatchObject({
      code: "rejected",
      message: "It is rejected.",
      fault: "you",
    });
    await domain.set({ error_message: null });
    expect((await view()).error?.message).toBe("The evaluator rejected the submission.");
  });

  it("says when it was re-graded, and what its score was", async () => {
    await grade();
    await domain.set({ regraded_at: domain.at(), score_before: 0.25 });
    expect((await view()).regraded).toEqual({ at: domain.at(), score_before: 0.25 });
  });

  it("has the decision that is in force about its participant in this challenge", async () => {
    await grade();
    await disqualify("disqualified", "sums", BOB);
    await disqualify("disqualified", "another");
    expect((await view()).disqualified).toBeNull();
    await disqualify("disqualified", null);
    expect((await view()).disqualified).toEqual({ reason: "copied", at: domain.at() });
    await disqualify("reinstated", null);
    expect((await view()).disqualified).toBeNull();
  });

  it("without a slot has none, whether or not it is published", async () => {
    await grade();
    await domain.db.deleteFrom("slots").execute();
    await domain.set({ publish: 1, post_challenge: 1 });
    expect(await view()).toMatchObject({ slot: "none", publish: true, post_challenge: true });
  });
});

describe("the records of how code was run", () => {
  const RUN = {
    ...{ sandbox: "s", kernel: "k", enforced: [], grader: "g", command: ["a"], image: "host" },
    ...{ packages: null, tree: null, stages: [] },
  };
  const read = async (options?: { withRun: boolean }) => {
    const { run } = await readSurroundings(domain.db, await domain.row(), options);
    return run;
  };

  it.each([
    ["code", "submit", true],
    ["session", "submit", true],
    ["json", "replay", true],
    ["json", "submit", false],
  ] as const)(
    "of an input of the kind %s and the function %s are read: %j",
    async (input_kind, name, isRead) => {
      await domain.submit();
      await domain.set({ input_kind, function: name });
      await domain.db
        .updateTable("attempts")
        .set({ run: JSON.stringify(RUN) })
        .execute();
      expect(await read()).toEqual(isRead ? RUN : null);
      expect(await read({ withRun: false })).toBeNull();
    },
  );

  it("are those of the attempt that counts", async () => {
    await domain.submit();
    await domain.set({ input_kind: "code", attempt: 2 });
    await domain.db
      .updateTable("attempts")
      .set({ run: JSON.stringify(RUN) })
      .execute();
    expect(await read()).toBeNull();
  });
});

describe("the artifacts of a submission", () => {
  const FILE = { key: "k", name: "plot.png", size: 3, sha256: "0".repeat(64), type: "image/png" };
  const model = { name: "net.onnx", size: 5, sha256: "1".repeat(64) };

  it("are its models, then those of the evaluator, each with its number in the address", async () => {
    domain.serve({ accepts: { json: {}, model: {} } });
    await domain.submit({ models: [model] });
    await domain.set({ artifacts: JSON.stringify([FILE]) });
    const files = async () => (await view()).artifacts;
    const address = `http://broker/api/v1/submissions/${id}/artifacts/`;
    const plot = { kind: "artifact", name: "plot.png", size: 3, sha256: FILE.sha256, type: "image/png" };
    // Not yet accepted: the model may still be sent.
    expect(await files()).toEqual([{ ...plot, url: `${address}1` }]);
    await domain.set({ accepted_at: domain.at() });
    expect(await files()).toEqual([
      { kind: "model", ...model, type: "application/octet-stream", url: `${address}1` },
      { ...plot, url: `${address}2` },
    ]);
    expect(await readArtifacts(domain.db, await domain.row())).toMatchObject([
      { key: `submissions/sums/${id}/models/1` },
      { key: "k" },
    ]);
  });
});
