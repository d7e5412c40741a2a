import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { failure, useLibrary } from "../../test/library.ts";
import type { Challenge, CrowdaiError, Grade, Submission, SubmitEvent, Submitting } from "../index.ts";

const library = useLibrary();
const { open } = library;

let temporary: string;
const before = process.env.TMPDIR;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "streams-"));
  process.env.TMPDIR = temporary;
});
afterEach(() => {
  // Whatever became of a submission, nothing of its bytes stays behind.
  expect(readdirSync(temporary)).toEqual([]);
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
});

/** Submits, and returns the name and the bytes that arrived. */
async function arrived(input: unknown, options: { name?: string } = {}) {
  const challenge = await open();
  const { id } = await challenge.submit(input, options);
  const { intent, parts } = library.broker.kept.get(id)! as unknown as {
    intent: { input: { name: string } };
    parts: Map<number, Buffer>;
  };
  return { name: intent.input.name, text: Buffer.concat([...parts.values()]).toString() };
}

async function* those(...pieces: unknown[]) {
  yield* pieces;
}

describe("submitting what arrives in pieces", () => {
  it.each([
    ["a Blob", () => new Blob(["1,", "2\n"]), "1,2\n"],
    ["a stream of the web", () => new Blob(["1,2\n"]).stream(), "1,2\n"],
    ["a stream of Node.js", () => Readable.from([Buffer.from("1,"), "2\n"]), "1,2\n"],
    ["an async iterable of text and bytes", () => those("ä", new TextEncoder().encode("ö"), "\n"), "äö\n"],
    [
      "rows",
      () => those(["id", "x"], [1, 0.1], ['say "a, b"', null], new Float64Array([2, 3])),
      'id,x\n1,0.1\n"say ""a, b""",\n2,3\n',
    ],
    [
      "objects, with a header",
      () => those({ id: 1, x: true }, { x: 2n, id: "b\nc" }),
      'id,x\n1,true\n"b\nc",2\n',
    ],
  ])("sends the bytes of %s", async (_, input, text) => {
    expect(await arrived(input())).toEqual({ name: "predictions.csv", text });
  });

  it("writes objects as NDJSON under a name that is not .csv", async () => {
    library.broker.challenge.accepts.file!.extensions = [];
    expect(await arrived(those({ a: [1] }, { b: 2n }), { name: "p.ndjson" })).toEqual({
      name: "p.ndjson",
      text: '{"a":[1]}\n{"b":2}\n',
    });
  });

  it("keeps the name of a File", async () => {
    expect((await arrived(new File(["1"], "forest.csv"))).name).toBe("forest.csv");
  });

  it.each([
    ["value_not_finite", "Row 2 contains NaN in column 1.", () => those([1], [Number.NaN])],
    ["value_not_json", "Row 1 contains an object in column 2.", () => those([1, {}])],
    [
      "value_not_json",
      'Row 2 has the column "y", which row 1 does not have.',
      () => those({ x: 1 }, { y: 2 }),
    ],
    ["file_empty", "predictions.csv is empty.", () => those()],
  ])("refuses with %s before it sends anything: %s", async (code, text, input) => {
    const error = await failure((await open()).submit(input()));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(text);
    expect(library.broker.kept.size).toBe(0);
  });

  it("passes on what the program's own generator throws", async () => {
    async function* broken() {
      yield [1];
      throw new RangeError("no model");
    }
    await expect((await open()).submit(broken())).rejects.toThrow(new RangeError("no model"));
  });

  it("ends an endless stream at the size that the challenge accepts, and one that waits when it is aborted", async () => {
    const challenge = await open();
    let ended = false;
    async function* endless() {
      try {
        for (;;) yield "x".repeat(100_000);
      } finally {
        ended = true;
      }
    }
    expect(await failure(challenge.submit(endless()))).toMatchObject({ code: "file_too_large" });
    expect(ended).toBe(true);
    const waits = new ReadableStream({ start: (controller) => controller.enqueue("x") });
    expect(await failure(challenge.submit(waits, { signal: AbortSignal.timeout(20) }))).toMatchObject({
      code: "interrupted",
    });
  });

  it("refuses a stream that the challenge does not take before it reads from it", async () => {
    library.broker.challenge.accepts.file = null;
    let read = false;
    async function* rows() {
      read = true;
      yield [1];
    }
    expect(await failure((await open()).submit(rows()))).toMatchObject({ code: "kind_not_accepted" });
    expect(read).toBe(false);
  });

  it("checks a stream without submitting it", async () => {
    const challenge = await open();
    expect(await challenge.check(those([1, 2]), { local: true })).toMatchObject({ ok: true });
    expect(library.broker.kept.size).toBe(0);
  });
});

describe("the events of a submission", () => {
  it("come in order, typed, and end with the grade", async () => {
    const challenge = await open();
    const submitting = challenge.submit([1], { onProgress: () => {} });
    expectTypeOf(submitting).toEqualTypeOf<Submitting<Grade>>();
    const seen: string[] = [];
    for await (const event of submitting) {
      expectTypeOf(event).toEqualTypeOf<SubmitEvent<Grade>>();
      if (event.type === "event") seen.push(event.event.type);
      else if (event.type === "graded") {
        expectTypeOf(event.submission.score).toEqualTypeOf<number>();
        seen.push(`score ${event.submission.score}`);
      } else seen.push(event.type);
    }
    expect(seen.filter((type) => type !== "progress")).toEqual([
      "accepted",
      "initiated",
      "submitted",
      "grading",
      "graded",
      "score 0.9",
    ]);
    expect(await submitting).toMatchObject({ score: 0.9 });
  });

  it("end with acceptance if the grade is not waited for", async () => {
    const challenge = await open();
    const submitting = challenge.submit([1], { wait: false });
    expectTypeOf(submitting).toEqualTypeOf<Submitting<Submission>>();
    const types: string[] = [];
    for await (const { type } of submitting) types.push(type);
    expect(types.at(-1)).toBe("accepted");
  });

  it("throw the error of the submission, once, into the loop", async () => {
    const challenge = await open();
    const looping = (async () => {
      for await (const _ of challenge.submit([Number.NaN]));
    })();
    expect(await failure(looping)).toMatchObject({ code: "value_not_finite" });
  });

  it("may be left early: the submission goes on", async () => {
    const challenge = await open();
    const submitting = challenge.submit([1]);
    for await (const _ of submitting) break;
    expect((await submitting).score).toBe(0.9);
  });
});

describe("the types of the library", () => {
  it("know every call", () => {
    type Of<K extends keyof Challenge> = Challenge[K] extends (...args: never[]) => infer R ? R : never;
    expectTypeOf<Of<"submit">>().toExtend<Promise<Submission>>();
    expectTypeOf<Of<"leaderboard">>().resolves.toHaveProperty("rows");
    expectTypeOf<Of<"submissions">>().resolves.items.toEqualTypeOf<Submission>();
    expectTypeOf<Of<"cancel">>().resolves.toEqualTypeOf<Submission>();
    expectTypeOf<Parameters<Challenge["submitValue"]>[0]>().toBeUnknown();
    expectTypeOf<CrowdaiError["exitCode"]>().toBeNumber();
  });
});
