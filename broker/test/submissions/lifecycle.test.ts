import { createHash } from "node:crypto";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId, type Receipt, type Submission } from "@crowdai/shared";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";

describe("the life of a submission", () => {
  let test: TestBroker;
  let client: TestClient;
  beforeAll(async () => {
    test = await startBroker();
    client = await test.connect();
  });
  afterAll(() => test.close());

  it("grades a value from the message, and reports its progress in numbered events", async () => {
    const { submission, upload } = await client.submit({
      input: { kind: "inline", data: { score: 0.5, secondary: 2, message: "well done", progress: [10, 90] } },
    });
    expect(upload).toBeNull();
    expect(submission.accepted_at).not.toBeNull();
    const events = await untilEnd(client, submission.id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["initiated", "submitted", "grading", "progress", "graded"]),
    );
    const graded = await client.ask<{ submission: Submission }>("watch", { id: submission.id, after: 0 });
    expect(graded.submission).toMatchObject({
      state: "graded",
      score: 0.5,
      score_secondary: 2,
      grading_message: "well done",
      slot: "charged",
      rank: 1,
      best: true,
      attempt: 1,
      error: null,
    });
  });

  it("grades an uploaded file, but not before its bytes are verified", async () => {
    const bytes = Buffer.from("0.25");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { submission, upload } = await client.submit({
      input: { kind: "file", name: "p.csv", size: 4, sha256 },
    });
    expect(submission.state).toBe("initiated");
    await expect(client.ask("complete", { id: submission.id })).rejects.toMatchObject({
      code: "upload_missing",
    });
    const part = upload?.parts[0];
    const sent = await fetch(part?.url as string, { method: "PUT", body: bytes });
    expect(sent.status).toBe(201);
    const [accepted, ...others] = await Promise.all(
      Array.from({ length: 10 }, () => client.ask<Receipt>("complete", { id: submission.id })),
    );
    for (const other of others) expect(other.submission.accepted_at).toBe(accepted!.submission.accepted_at);
    expect(accepted!.submission.accepted_at).not.toBeNull();
    const again = await client.ask<Receipt>("complete", { id: submission.id });
    expect(again.submission.accepted_at).toBe(accepted!.submission.accepted_at);
    const events = await untilEnd(client, submission.id);
    expect(events.at(-1)).toMatchObject({ type: "graded", data: { score: 0.25 } });
    expect(events.map(({ type }) => type)).toEqual(["initiated", "submitted", "grading", "graded"]);
  });

  it("treats one id sent fifty times at once as one submission, with fifty equal answers", async () => {
    const id = createSubmissionId();
    const input = { kind: "inline" as const, data: { score: 0.1 } };
    const receipts = await Promise.all(Array.from({ length: 50 }, () => client.submit({ id, input })));
    expect(new Set(receipts.map(({ submission }) => submission.number)).size).toBe(1);
    await untilEnd(client, id);
    const slots = await test.records.db
      .selectFrom("slots")
      .selectAll()
      .where("submission", "=", id)
      .execute();
    expect(slots).toHaveLength(1);
    const attempts = await test.records.db
      .selectFrom("attempts")
      .selectAll()
      .where("submission", "=", id)
      .execute();
    expect(attempts).toMatchObject([{ number: 1, accepted: 1 }]);
  });

  it("rejects an id that was used with other content or by another participant", async () => {
    const id = createSubmissionId();
    await client.submit({ id, input: { kind: "inline", data: { score: 0.1 } } });
    await expect(
      client.submit({ id, input: { kind: "inline", data: { score: 0.2 } } }),
    ).rejects.toMatchObject({
      code: "id_conflict",
    });
    const other = await test.connect({ key: await test.addParticipant("mallory") });
    await expect(other.submit({ id, input: { kind: "inline", data: { score: 0.1 } } })).rejects.toMatchObject(
      {
        code: "id_conflict",
      },
    );
    await expect(other.ask("watch", { id, after: 0 })).rejects.toMatchObject({ code: "submission_unknown" });
    await expect(other.ask("cancel", { id })).rejects.toMatchObject({ code: "submission_unknown" });
  });

  it("charges the slot when the participant's input is rejected, and returns it when the evaluator crashes", async () => {
    const rejected = await client.submit({
      input: { kind: "inline", data: { reject: "row 17: unknown id" } },
    });
    const crashed = await client.submit({ input: { kind: "inline", data: { crash: true } } });
    await untilEnd(client, rejected.submission.id);
    await untilEnd(client, crashed.submission.id);
    const view = async (id: string) => (await test.fetch(`/api/v1/submissions/${id}`)).json();
    expect(await view(rejected.submission.id)).toMatchObject({
      state: "failed",
      slot: "charged",
      error: { code: "rejected", fault: "you", message: "row 17: unknown id" },
    });
    const after = await view(crashed.submission.id);
    expect(after).toMatchObject({
      state: "failed",
      slot: "returned",
      error: { code: "evaluator_crashed", fault: "challenge" },
    });
    expect(JSON.stringify(after)).not.toContain("evaluate.py");
  });

  it("answers a list of values in order, without a leaderboard entry or a slot", async () => {
    const items = Array.from({ length: 20 }, (_, x) => ({ id: createSubmissionId(), data: { x } }));
    const { submissions } = await client.ask<{ submissions: Submission[] }>("call", {
      challenge: "test",
      function: "evaluate",
      items,
    });
    expect(submissions.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    for (const [x, { id }] of items.entries()) {
      expect((await untilEnd(client, id)).at(-1)).toMatchObject({ type: "graded", data: { score: x * 2 } });
      const answer = await (await test.fetch(`/api/v1/submissions/${id}`)).json();
      expect(answer).toMatchObject({ data: { x, round: 1 }, slot: "none", rank: null });
    }
  });

  it("cancels a waiting or running submission once, and rejects a late result", async () => {
    const hold = join(test.folder, "hold-cancel");
    const { submission } = await client.submit({ input: { kind: "inline", data: { score: 1, hold } } });
    // A start is recorded a moment after the evaluator has its input.
    await expect
      .poll(async () => (await test.fetch(`/api/v1/submissions/${submission.id}`)).json())
      .toMatchObject({ state: "grading" });
    const cancelled = await client.ask<Submission>("cancel", { id: submission.id });
    expect(cancelled).toMatchObject({ state: "cancelled", score: null, slot: "charged" });
    expect(await client.ask<Submission>("cancel", { id: submission.id })).toMatchObject({
      state: "cancelled",
    });
    await writeFile(hold, "");
    expect((await untilEnd(client, submission.id)).filter(({ type }) => type === "cancelled")).toHaveLength(
      1,
    );
    const done = await client.submit({ input: { kind: "inline", data: { score: 0 } } });
    await untilEnd(client, done.submission.id);
    await expect(client.ask("cancel", { id: done.submission.id })).rejects.toMatchObject({
      code: "already_final",
    });
  });

  it("sends a reconnecting client exactly the events it missed", async () => {
    const hold = join(test.folder, "hold-watch");
    const first = await test.connect();
    const { submission } = await first.submit({
      input: { kind: "inline", data: { score: 0.3, progress: [50], hold } },
    });
    await fileAppears(`${hold}.started`);
    first.socket.disconnect();
    await writeFile(hold, "");
    const second = await test.connect();
    const all = await untilEnd(second, submission.id);
    const missed = await untilEnd(second, submission.id, 2);
    expect(missed).toEqual(all.slice(2));
    const polled = (await (
      await test.fetch(`/api/v1/submissions/${submission.id}/events?after=2`)
    ).json()) as {
      events: unknown[];
    };
    expect(polled.events).toEqual(missed);
  });
});

it("logs for the organizer what the participant is not shown", async () => {
  const lines: string[] = [];
  const test = await startBroker({
    log: pino({ level: "warn" }, { write: (line) => void lines.push(line) }),
  });
  try {
    const client = await test.connect();
    const { submission } = await client.submit({ input: { kind: "inline", data: { nothing: true } } });
    const events = await untilEnd(client, submission.id);
    expect(events.at(-1)).toMatchObject({ type: "failed", data: { code: "evaluator_crashed" } });
    expect(lines.join("")).toContain("KeyError");
    expect(JSON.stringify(events)).not.toContain("KeyError");
  } finally {
    await test.close();
  }
});

describe("a broker that stops during grading", () => {
  it("grades accepted submissions once after the restart, and continues the event numbers", async () => {
    const test = await startBroker();
    try {
      const hold = join(test.folder, "hold");
      const client = await test.connect();
      const { submission } = await client.submit({ input: { kind: "inline", data: { score: 0.7, hold } } });
      await fileAppears(`${hold}.started`);
      const stopping = test.restart();
      await writeFile(hold, "");
      await stopping;
      const events = await untilEnd(await test.connect(), submission.id);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.filter(({ type }) => type === "graded")).toHaveLength(1);
    } finally {
      await test.close();
    }
  });
});

async function fileAppears(path: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${path} did not appear`);
}
