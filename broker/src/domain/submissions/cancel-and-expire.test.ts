import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ADA,
  BOB,
  DAY,
  type Domain,
  graded,
  INTENT,
  MINUTE,
  ORGANIZER,
  openDomain,
  sha256,
} from "../../../test/support/domain.ts";
import { cancelSubmission } from "./cancel-submission.ts";
import { DEADLINES, MAX_ATTEMPTS, MAX_STARTS } from "./deadlines.ts";
import { createRecovery, restart } from "./recover-queue.ts";
import { sweepDeadlines } from "./sweep-deadlines.ts";

const { id } = INTENT;
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ accepts: { json: {}, file: { extensions: [] }, model: {} } });
});
afterEach(() => domain.close());

const cancel = (by = ADA, name = id) => cancelSubmission(domain.services, by, name);
const sweep = () => sweepDeadlines(domain.services);
const file = (bytes: string) => ({
  ...{ kind: "file" as const, name: "a.csv", size: bytes.length, sha256: sha256(bytes) },
});
const end = async (name = id) => (await domain.events(name)).at(-1)!;
const stored = async () => {
  const keys = [];
  for await (const key of domain.objects.list("submissions/")) keys.push(key);
  return keys;
};
/** Submits a file of one byte with a model; only the model arrives. */
async function halfUploaded() {
  const model = { name: "m", size: 1, sha256: sha256("m") };
  await domain.submit({ input: file("x"), models: [model] });
  await domain.objects.put(`submissions/sums/${id}/models/1`, Buffer.from("m"));
}
const clear = () => {
  for (const list of Object.values(domain.seen)) list.length = 0;
};

describe("cancelling", () => {
  it("ends a submission that waits, returns its slot, and takes its job from the queue", async () => {
    await domain.submit();
    clear();
    domain.pass(MINUTE);
    expect(await cancel()).toMatchObject({
      ...{ state: "cancelled", slot: "returned", finished_at: domain.at() },
      error: { code: "cancelled", message: "Cancelled by the participant." },
    });
    expect(domain.seen).toMatchObject({ cancelled: [id], announced: [`sums ${id} 3 cancelled`] });
    expect(await domain.attempts()).toMatchObject([{ number: 1, state: "lost" }]);
  });

  it("charges the slot once grading has begun, and rejects the result that is on its way", async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    expect(await cancel()).toMatchObject({ state: "cancelled", slot: "charged" });
    const row = await domain.report({ type: "finished", outcome: graded(1) });
    expect(row).toMatchObject({ state: "cancelled", score: null });
  });

  it("twice is once", async () => {
    await domain.submit();
    const first = await cancel();
    clear();
    expect(await cancel()).toEqual(first);
    expect(domain.seen).toMatchObject({ cancelled: [], announced: [] });
  });

  it.each([
    ["graded", graded(1)],
    ["failed", { ...graded(1), ok: false, code: "rejected", message: "" }],
  ])("comes too late when it is %s", async (state, outcome) => {
    await domain.submit();
    await domain.report({ type: "finished", outcome: outcome as never });
    const before = await domain.row();
    await expect(cancel()).rejects.toMatchObject({
      ...{ code: "already_final", message: `${id} is already ${state}.` },
    });
    expect(await domain.row()).toEqual(before);
    expect(await domain.attempts()).toMatchObject([{ state: "done" }]);
  });

  it("is for its participant, and for no other", async () => {
    await domain.submit();
    for (const other of [BOB, { ...ORGANIZER, id: ADA.id }])
      await expect(cancel(other)).rejects.toMatchObject({ code: "submission_unknown" });
    await domain.submit({ id: "submission-2" });
    await cancel();
    expect(await domain.row("submission-2")).toMatchObject({ state: "submitted" });
    expect(await domain.attempts("submission-2")).toMatchObject([{ state: "waiting" }]);
  });

  it("counts while the queue does not answer", async () => {
    await domain.submit();
    domain.faults.queue = new Error("no answer");
    expect(await cancel()).toMatchObject({ state: "cancelled" });
    expect(domain.seen.logged).toMatchObject([{ event: "queue_cancel_failed", submission: id }]);
  });

  it("loses only the current attempt", async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    await restart(domain.services, id, "the grader was lost");
    await domain.db.updateTable("attempts").set({ state: "done" }).where("number", "=", 1).execute();
    await cancel();
    expect(await domain.attempts()).toMatchObject([{ state: "done" }, { state: "lost" }]);
  });

  it("removes the bytes that were uploaded before it was accepted", async () => {
    await halfUploaded();
    expect(await stored()).toHaveLength(1);
    expect(await cancel()).toMatchObject({ state: "cancelled", slot: "returned" });
    expect(await stored()).toEqual([]);
  });

  it("keeps the bytes of an accepted submission", async () => {
    await halfUploaded();
    await domain.set({ state: "submitted", accepted_at: domain.at() });
    await cancel();
    expect(await stored()).toHaveLength(1);
  });

  it.each([
    ["nothing of it was seen", null, "returned"],
    ["its code is still built", "build", "returned"],
    ["an episode has begun", "play", "charged"],
  ] as const)("in an environment costs the slot only once it plays: %s", async (_, stage, slot) => {
    await domain.submit();
    domain.serve({ environment: { gym: "env.py:make" } });
    await domain.report({ type: "started" });
    if (stage) await domain.report({ type: "progress", percent: null, message: null, stage });
    expect(await cancel()).toMatchObject({ slot });
  });

  it("of a session costs the slot only once it plays, even when its challenge was removed", async () => {
    await domain.submit();
    await domain.set({ input_kind: "session", state: "grading" });
    domain.challenges.clear();
    expect(await cancel()).toMatchObject({ slot: "returned" });
  });

  it("of a submission whose challenge was removed returns its slot", async () => {
    await domain.submit();
    domain.challenges.clear();
    expect(await cancel()).toMatchObject({ state: "cancelled", slot: "returned" });
  });

  it("of a session at an external grader costs the slot", async () => {
    await domain.submit();
    await domain.set({ input_kind: "session", outside_status: "submitted" });
    expect(await cancel()).toMatchObject({ slot: "charged" });
  });
});

describe("a deadline", () => {
  it("ends an upload after a week, returns the slot and removes the bytes", async () => {
    await halfUploaded();
    const deadline = domain.at(DEADLINES.initiated);
    clear();
    domain.pass(7 * DAY);
    expect(await sweep()).toBe(0);
    expect(domain.seen.dispatched).toEqual([]);
    domain.pass(1);
    expect(await sweep()).toBe(1);
    expect(await domain.row()).toMatchObject({
      ...{ state: "failed", error_code: "upload_abandoned", deadline_at: null },
      error_message: `The upload was not completed by ${deadline}.`,
    });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    expect(await stored()).toEqual([]);
    expect(domain.seen).toMatchObject({
      ...{ announced: [`sums ${id} 2 failed`], cancelled: [], dispatched: ["all"] },
    });
    expect(await sweep()).toBe(0);
  });

  it("ends a wait for a grader after a week, returns the slot and takes the job from the queue", async () => {
    await halfUploaded();
    await domain.set({ state: "submitted", accepted_at: domain.at(), attempt: 1 });
    clear();
    domain.pass(7 * DAY + 1);
    expect(await sweep()).toBe(1);
    expect(await domain.row()).toMatchObject({
      ...{ state: "failed", error_code: "deadline_passed" },
      error_message: `No grader picked up the submission by ${domain.at(-1)}.`,
    });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    expect(domain.seen).toMatchObject({ cancelled: [id], dispatched: ["all"] });
    // They were accepted, and are its participant's to see.
    expect(await stored()).toHaveLength(1);
  });

  it("ends a wait while the queue does not answer", async () => {
    await domain.submit();
    domain.faults.queue = new Error("no answer");
    domain.pass(7 * DAY + 1);
    await sweep();
    expect(await domain.row()).toMatchObject({ state: "failed" });
  });

  it.each([
    [0, "deadline_passed"],
    [1, "code_missing"],
    [2, "code_missing"],
  ])("names the code that a submission waited for (holds %i: %s)", async (holds, code) => {
    await domain.submit();
    await domain.addCode(id, holds);
    domain.pass(7 * DAY + 1);
    await sweep();
    expect(await domain.row()).toMatchObject({ state: "failed", error_code: code });
  });

  it("of a grading without reports gives it to another grader", async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    clear();
    domain.pass(5000 + DEADLINES.gradingGrace);
    expect(await sweep()).toBe(0);
    domain.pass(1);
    expect(await sweep()).toBe(1);
    expect(await domain.row()).toMatchObject({ state: "submitted", attempt: 2, starts: 1, seq: 4 });
    expect((await end()).data).toEqual({ reason: "the grader stopped responding" });
    expect(domain.seen).toMatchObject({ announced: [`sums ${id} 4 requeued`], dispatched: ["all"] });
  });

  it("of all that are due is handled at once, the earliest first", async () => {
    await domain.submit({ id: "submission-2" });
    domain.pass(1000);
    await domain.submit();
    await domain.set({ deadline_at: domain.at(-5000) });
    await domain.submit({ id: "submission-3" });
    clear();
    domain.pass(7 * DAY);
    expect(await sweep()).toBe(2);
    expect(domain.seen.announced).toEqual([`sums ${id} 3 failed`, "sums submission-2 3 failed"]);
    expect(await domain.row("submission-3")).toMatchObject({ state: "submitted" });
  });

  it.each([
    ["graded", { state: "graded", deadline_at: null }],
    ["graded again and again", { state: "grading" }],
    ["given more time", { deadline_at: "2027-01-01T00:00:00.000Z" }],
    ["given time until this moment", { deadline_at: "2026-03-17T12:00:00.001Z" }],
  ] as const)("does not end a submission that another broker has meanwhile %s", async (_, change) => {
    await domain.submit();
    domain.pass(7 * DAY + 1);
    clear();
    // Between the list of what is due and the lock.
    const { records } = domain.services;
    const lockSubmission: typeof records.lockSubmission = async (trx, name) => {
      await trx.updateTable("submissions").set(change).execute();
      return records.lockSubmission(trx, name);
    };
    await sweepDeadlines({ ...domain.services, records: { ...records, lockSubmission } });
    expect(await domain.row()).toMatchObject({ ...change, error_code: null });
    expect(domain.seen).toMatchObject({ announced: [], cancelled: [] });
  });

  it("of a grading that another broker has restarted meanwhile is not another loss", async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    domain.pass(DAY);
    const later = { deadline_at: domain.at(MINUTE) };
    const { records } = domain.services;
    const lockSubmission: typeof records.lockSubmission = async (trx, name) => {
      await trx.updateTable("submissions").set(later).execute();
      return records.lockSubmission(trx, name);
    };
    await sweepDeadlines({ ...domain.services, records: { ...records, lockSubmission } });
    expect(await domain.row()).toMatchObject({ ...later, state: "grading", attempt: 1 });
  });
});

describe("a restart", () => {
  const started = async () => {
    await domain.submit();
    await domain.report({ type: "started" });
    clear();
  };

  it("gives the grading a new attempt, and rejects reports of the old one", async () => {
    await started();
    domain.pass(MINUTE);
    await restart(domain.services, id, "it was lost");
    const row = await domain.row();
    expect(row).toMatchObject({ state: "submitted", attempt: 2, starts: 1, seq: 4 });
    expect(row.deadline_at).toBe(domain.at(DEADLINES.submitted));
    expect(await domain.attempts()).toMatchObject([
      { number: 1, state: "lost", finished_at: domain.at() },
      { number: 2, state: "waiting", published_at: null, delivery: 0 },
    ]);
    expect(await end()).toMatchObject({ seq: 4, type: "requeued", data: { reason: "it was lost" } });
    expect(await domain.report({ type: "finished", outcome: graded(1) })).toEqual(row);
    expect(await domain.report({ type: "finished", outcome: graded(1), attempt: 2 })).toMatchObject({
      ...{ state: "graded", attempt: 2 },
    });
  });

  it("that is not the grader's fault does not count its start", async () => {
    await started();
    await domain.set({ starts: MAX_STARTS });
    await restart(domain.services, id, "the queue was lost", { counts: false });
    expect(await domain.row()).toMatchObject({ state: "submitted", starts: MAX_STARTS - 1 });
  });

  it.each([
    ["starts", { starts: MAX_STARTS }],
    ["attempts", { attempt: MAX_ATTEMPTS }],
  ])("after too many %s gives the submission up", async (_, change) => {
    await started();
    await domain.set(change);
    const { attempt } = await domain.row();
    await domain.db.updateTable("attempts").set({ number: attempt }).execute();
    await restart(domain.services, id, "it was lost");
    expect(await domain.row()).toMatchObject({ state: "failed", error_code: "gave_up" });
    expect(await domain.slot()).toMatchObject({ state: "returned" });
    expect(domain.seen.announced).toEqual([`sums ${id} 4 failed`]);
  });

  it.each([
    ["starts", { starts: MAX_STARTS - 1 }],
    ["attempts", { attempt: MAX_ATTEMPTS - 1 }],
  ])("with one of its %s left goes on", async (_, change) => {
    await started();
    await domain.set(change);
    await restart(domain.services, id, "it was lost");
    expect(await domain.row()).toMatchObject({ state: "submitted" });
  });

  it("changes nothing unless it is being graded", async () => {
    await domain.submit();
    const before = await domain.row();
    clear();
    await restart(domain.services, id, "it was lost");
    expect(await domain.row()).toEqual(before);
    expect(domain.seen.announced).toEqual([]);
  });

  it("only of overdue gradings leaves one that was given more time, or none", async () => {
    await started();
    for (const deadline_at of [domain.at(), domain.at(1), null]) {
      await domain.set({ deadline_at });
      await restart(domain.services, id, "it was lost", { onlyOverdue: true });
      expect(await domain.row()).toMatchObject({ state: "grading", deadline_at });
    }
    await domain.set({ deadline_at: domain.at(-1) });
    await restart(domain.services, id, "it was lost", { onlyOverdue: true });
    expect(await domain.row()).toMatchObject({ state: "submitted" });
  });
});

describe("a queue that lost its contents", () => {
  const called: string[] = [];
  const recovery = () =>
    createRecovery(domain.services, {
      republishRegrades: async () => void called.push("republish regrades"),
      restartRegrades: async (known) => void called.push(`restart regrades ${[...(await known([]))]}`),
    });
  beforeEach(async () => {
    called.length = 0;
    for (const name of ["waiting-1", "grading-1", "grading-2", "ended-one"])
      await domain.submit({ id: name });
    for (const submission of ["grading-1", "grading-2"]) await domain.report({ type: "started", submission });
    await cancelSubmission(domain.services, ADA, "ended-one");
    const published = { published_at: domain.at(), delivery: 3 };
    await domain.db.updateTable("attempts").set(published).execute();
    await domain.db
      .updateTable("attempts")
      .set({ state: "waiting" })
      .where("submission", "=", "ended-one")
      .execute();
    clear();
  });

  it("gets every waiting job again, whose deliveries count from 1", async () => {
    await recovery().republish("it is new");
    expect(await domain.attempts("waiting-1")).toMatchObject([{ published_at: null, delivery: 0 }]);
    for (const other of ["grading-1", "ended-one"])
      expect(await domain.attempts(other)).toMatchObject([{ published_at: domain.at(), delivery: 3 }]);
    expect(called).toEqual(["republish regrades"]);
    expect(domain.seen.dispatched).toEqual(["all"]);
    expect(domain.seen.logged).toEqual([{ event: "jobs_requeued", reason: "it is new", jobs: 1 }]);
    // Once is enough.
    await recovery().republish("it is new");
    expect(domain.seen.logged).toHaveLength(1);
  });

  it("gives each grading that no grader holds a new attempt, and counts no start", async () => {
    const asked: (readonly string[])[] = [];
    await recovery().restart("it was lost", async (ids) => {
      asked.push(ids);
      return new Set(["grading-2"]);
    });
    expect(asked[0]).toEqual(["grading-1", "grading-2"]);
    expect(await domain.row("grading-1")).toMatchObject({ state: "submitted", attempt: 2, starts: 0 });
    expect(await domain.row("grading-2")).toMatchObject({ state: "grading", attempt: 1, starts: 1 });
    expect((await end("grading-1")).data).toEqual({ reason: "it was lost" });
    expect(called).toEqual(["restart regrades grading-2"]);
    expect(domain.seen.dispatched).toEqual(["all"]);
  });

  it("is asked about none where nothing is graded", async () => {
    await domain.db.updateTable("submissions").set({ state: "submitted" }).execute();
    const asked: (readonly string[])[] = [];
    await recovery().restart("it was lost", async (ids) => {
      asked.push(ids);
      return new Set(ids);
    });
    // By the regrades.
    expect(asked).toEqual([[]]);
  });

  it("is asked for 200 gradings at a time, in the order of their arrival", async () => {
    const row = await domain.row("grading-1");
    const many = Array.from({ length: 199 }, (_, index) => ({
      ...{ ...row, number: 1000 - index, id: `many-${index}`, deadline_at: domain.at(index) },
    }));
    await domain.db.insertInto("submissions").values(many).execute();
    const asked: (readonly string[])[] = [];
    await recovery().restart("it was lost", async (ids) => {
      asked.push(ids);
      return new Set(ids);
    });
    expect(asked.map((ids) => ids.length)).toEqual([200, 1, 0]);
    expect(asked[0]!.slice(0, 4)).toEqual(["grading-1", "grading-2", "many-198", "many-197"]);
    expect(asked[1]).toEqual(["many-0"]);
  });
});
