import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IntentRequest } from "@crowdai/shared";
import { describe, expect, expectTypeOf, it } from "vitest";
import { failure, useLibrary } from "../../test/library.ts";
import { CrowdaiError, type Grade, type Progress, type Submission, type SubmissionEvent } from "../index.ts";

const library = useLibrary();
const { open } = library;
const sent = (i = 0) =>
  library.broker.received.filter(({ what }) => what === "submit")[i]!.message as IntentRequest;

describe("submitting a value", () => {
  it("resolves to the grade, typed", async () => {
    const challenge = await open();
    const grade = await challenge.submit({ predictions: [1, 2] }, { round: 1, message: "first try" });
    expectTypeOf(grade).toEqualTypeOf<Grade>();
    expectTypeOf(grade.score).toEqualTypeOf<number>();
    expect(grade).toMatchObject({ state: "graded", score: 0.9, rank: 3, rank_before: 5, best: true });
    expect(sent()).toMatchObject({
      challenge: "iris",
      round: "1",
      message: "first try",
      input: { kind: "inline", data: { predictions: [1, 2] } },
    });
  });

  it("accepts typed arrays as arrays, anywhere in the value", async () => {
    const challenge = await open();
    await challenge.submit({ a: new Float64Array([0.5, 1]), b: [new Uint8Array([1, 2])] });
    expect(sent().input).toEqual({ kind: "inline", data: { a: [0.5, 1], b: [[1, 2]] } });
  });

  it("takes a BigInt as an integer, whatever its size", async () => {
    const challenge = await open();
    await challenge.submit({ a: 1n });
    expect(sent().input).toEqual({ kind: "inline", data: { a: 1 } });
  });

  it.each([
    [{ rows: [1, Number.NaN] }, "value_not_finite", "$.rows[1]"],
    [new Float32Array([1, Infinity]), "value_not_finite", "$[1]"],
    [{ a: 2 ** 53 }, "value_not_exact", "$.a"],
    [undefined, "value_not_json", "undefined"],
  ])("refuses %o, with its path, before it sends anything", async (value, code, place) => {
    const challenge = await open();
    const error = await failure(challenge.submit(value));
    expect(error).toMatchObject({ code, exitCode: 4 });
    expect(error.message).toContain(place);
    expect(library.broker.kept.size).toBe(0);
  });

  it("checks the schema and the size before it sends anything", async () => {
    library.broker.challenge.accepts.json = {
      schema: { type: "array", items: { type: "number" } },
      max_bytes: 20,
    };
    const challenge = await open();
    expect((await failure(challenge.submit([1, "x"]))).message).toContain("$[1]");
    expect((await failure(challenge.submit([1e10, 2e10, 3e10]))).code).toBe("value_too_large");
    expect(library.broker.kept.size).toBe(0);
  });

  it("sends a large value to the object store instead of in the message", async () => {
    const challenge = await open();
    const value = Array.from({ length: 30_000 }, (_, i) => i);
    const stages = new Set<Progress["stage"]>();
    const grade = await challenge.submit(value, { onProgress: ({ stage }) => stages.add(stage) });
    expect(sent().input).toMatchObject({ kind: "json", name: null, size: JSON.stringify(value).length });
    const { parts } = library.broker.kept.get(grade.id)!;
    expect(JSON.parse(Buffer.concat([...parts.values()]).toString())).toEqual(value);
    expect([...stages]).toEqual(["uploading", "waiting", "grading"]);
  });

  it("reports each event once, in order, and the progress", async () => {
    const challenge = await open();
    const events: SubmissionEvent[] = [];
    const progress: Progress[] = [];
    await challenge.submit([1], {
      onEvent: (event) => events.push(event),
      onProgress: (p) => progress.push(p),
    });
    expect(events.map(({ type }) => type)).toEqual([
      "initiated",
      "submitted",
      "grading",
      "progress",
      "graded",
    ]);
    expect(progress.at(-1)).toEqual({ stage: "grading", percent: 50, message: "half", step: null });
  });

  it("rejects with the submission's own error, which contains the submission", async () => {
    library.broker.grader = () => ({ error: { code: "rejected", message: "row 17: unknown id" } });
    const challenge = await open();
    const error = await failure(challenge.submit([1]));
    expect(error).toMatchObject({ code: "rejected", message: "row 17: unknown id", exitCode: 6 });
    expect(error.details!.submission as Submission).toMatchObject({
      state: "failed",
      input: { kind: "json" },
    });
  });

  it("rejects when the submission is cancelled elsewhere", async () => {
    library.broker.grader = null;
    const challenge = await open();
    const id = "to-be-cancelled";
    let cancelling: Promise<Submission> | undefined;
    const onEvent = ({ type }: SubmissionEvent) => {
      if (type === "submitted") cancelling = challenge.cancel(id);
    };
    expect((await failure(challenge.submit([1], { id, onEvent }))).code).toBe("cancelled");
    expect((await cancelling)?.state).toBe("cancelled");
  });

  it("does not wait with wait: false; wait() waits later", async () => {
    library.broker.grader = null;
    const challenge = await open();
    const accepted = await challenge.submit([1], { wait: false });
    expectTypeOf(accepted).toEqualTypeOf<Submission>();
    expect(accepted.state).toBe("submitted");
    const waiting = challenge.wait(accepted.id);
    library.broker.finish(accepted.id, { state: "graded", score: 1 });
    expect((await waiting).score).toBe(1);
  });

  it("stops waiting after timeoutMs and says that the submission continues", async () => {
    library.broker.grader = null;
    const challenge = await open();
    const error = await failure(challenge.submit([1], { timeoutMs: 30 }));
    expect(error).toMatchObject({ code: "still_pending", exitCode: 8 });
    const [id] = library.broker.kept.keys();
    expect(error.details).toEqual({ submission: id });
    expect(error.next).toContain(`crowdai watch ${id}`);
  });

  it("ends at once when its signal is aborted, and reports whether the submission was accepted", async () => {
    library.broker.grader = null;
    const challenge = await open();
    const stop = new AbortController();
    const failed = failure(
      challenge.submit([1], { signal: stop.signal, onEvent: ({ seq }) => seq === 2 && stop.abort() }),
    );
    expect(await failed).toMatchObject({ code: "interrupted", exitCode: 130, details: { accepted: true } });
    expect((await failure(challenge.submit([1], { signal: AbortSignal.abort() }))).details).toMatchObject({
      accepted: false,
    });
    expect(library.broker.kept.size).toBe(1);
  });

  it("is one submission, however often it is sent with the same id", async () => {
    const challenge = await open();
    const id = "the-same-one";
    const grades = await Promise.all(Array.from({ length: 50 }, () => challenge.submit([1], { id })));
    expect(new Set(grades.map((grade) => grade.number))).toEqual(new Set([1]));
    expect((await challenge.submit([1], { id })).number).toBe(1);
    expect((await failure(challenge.submit([1], { id: "no/id" }))).code).toBe("usage");
  });

  it("reports that a submission was accepted when the broker becomes unreachable afterwards", async () => {
    library.broker.grader = null;
    const challenge = await open({ lostAfterMs: 50 });
    const failed = failure(
      challenge.submit([1], { onEvent: ({ seq }) => seq === 2 && library.broker.stop() }),
    );
    expect(await failed).toMatchObject({ code: "broker_lost", exitCode: 5, details: { accepted: true } });
  });
});

describe("submitting a file", () => {
  it("streams it to the object store and resolves to the grade", async () => {
    const challenge = await open();
    const path = join(library.folder, "p.csv");
    await writeFile(path, "id,species\n".repeat(50_000));
    const grade = await challenge.submit({ file: path });
    expect(grade.input).toMatchObject({ kind: "file", name: "p.csv", size: 550_000 });
    expect((await challenge.submitFile(path, { name: "q.csv" })).input?.name).toBe("q.csv");
  });

  it("treats an object with other keys as a value, and any object passed to submitValue", async () => {
    const challenge = await open();
    expect((await challenge.submit({ file: "x", rows: 1 })).input?.kind).toBe("json");
    expect((await challenge.submitValue({ file: "x" })).input?.kind).toBe("json");
  });

  it("refuses a wrong file before it sends anything", async () => {
    const challenge = await open();
    const path = join(library.folder, "p.txt");
    expect((await failure(challenge.submit({ file: path }))).code).toBe("file_missing");
    await writeFile(path, "");
    expect((await failure(challenge.submit({ file: path }))).code).toBe("file_empty");
    await writeFile(path, "x");
    expect((await failure(challenge.submit({ file: path }))).code).toBe("file_extension");
    expect(library.broker.kept.size).toBe(0);
  });

  it("returns the slot at once when the file changes during the upload", async () => {
    const challenge = await open();
    const path = join(library.folder, "p.csv");
    await writeFile(path, "x".repeat(600_000));
    library.broker.intercept = async (what) => {
      if (what.startsWith("PUT")) await writeFile(path, "y".repeat(600_000));
      return false;
    };
    expect((await failure(challenge.submit({ file: path }))).code).toBe("file_changed");
    expect([...library.broker.kept.values()].map(({ submission }) => submission.state)).toEqual([
      "cancelled",
    ]);
  });

  it("requests new addresses when the signed ones have expired", async () => {
    const challenge = await open();
    const path = join(library.folder, "p.csv");
    await writeFile(path, "x".repeat(600_000));
    let refused = 0;
    library.broker.intercept = (what) => {
      if (!what.startsWith("PUT") || refused++ > 0) return false;
      throw new CrowdaiError("signature_invalid");
    };
    expect((await challenge.submit({ file: path })).score).toBe(0.9);
  });
});
