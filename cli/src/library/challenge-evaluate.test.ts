import { beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { failure, useLibrary } from "../../test/library.ts";
import type { Answer } from "../index.ts";

const library = useLibrary();
const { open } = library;

describe("evaluating", () => {
  beforeEach(() => {
    library.broker.grader = ({ intent }) => {
      const data = intent.input.kind === "inline" ? intent.input.data : null;
      return data === "bad"
        ? { error: { code: "rejected", message: "bad value" } }
        : { score: Number(data), data: { got: data } };
    };
  });

  it("returns the answers in the order of the values, after one message", async () => {
    const challenge = await open();
    const answers = await challenge.evaluate([1, 2, new Int8Array([3])]);
    expectTypeOf(answers).toEqualTypeOf<Answer[]>();
    expect(answers.map(({ data }) => data)).toEqual([{ got: 1 }, { got: 2 }, { got: [3] }]);
    expect(library.broker.received.filter(({ what }) => what === "call")).toHaveLength(1);
  });

  it("waits at most timeoutMs for all values together, also one after the other", async () => {
    const challenge = await open();
    library.broker.grader = null;
    const began = performance.now();
    const error = await failure(challenge.evaluate([1, 2], { parallel: false, timeoutMs: 100 }));
    expect(error.code).toBe("still_pending");
    expect(performance.now() - began).toBeLessThan(allowedMs(2_000));
    library.broker.grader = () => ({ score: 1 });
    expect(await challenge.evaluate([1], { timeoutMs: Number.POSITIVE_INFINITY })).toHaveLength(1);
  });

  it("sends many and large values in messages within the limit, and a huge one through the object store", async () => {
    const challenge = await open();
    const values: unknown[] = Array.from({ length: 40 }, (_, i) => `${i}:${"x".repeat(40_000)}`);
    values.push("y".repeat(100_000));
    const answers = await challenge.evaluate(values);
    expect(answers).toHaveLength(41);
    expect(answers[39]!.data).toEqual({ got: values[39] });
    expect(library.broker.received.filter(({ what }) => what === "call").length).toBeGreaterThan(2);
    expect(library.broker.received.filter(({ what }) => what.startsWith("PUT"))).toHaveLength(1);
  });

  it("grades one after the other with parallel: false", async () => {
    const challenge = await open();
    const done: number[] = [];
    await challenge.evaluate([1, 2, 3], {
      parallel: false,
      onProgress: (progress) => done.push(progress.done),
    });
    expect(done).toEqual([1, 2, 3]);
    expect(library.broker.received.filter(({ what }) => what === "call")).toHaveLength(3);
  });

  it("rejects with the first failure, its index and the other answers", async () => {
    const challenge = await open();
    const error = await failure(challenge.evaluate([1, "bad", 3, "bad"]));
    expect(error).toMatchObject({ code: "rejected", message: "Value 1: bad value", exitCode: 6 });
    expect(error.details).toMatchObject({ index: 1, answers: [{ score: 1 }, null, { score: 3 }, null] });
  });

  it("returns each outcome separately with evaluateSettled", async () => {
    const challenge = await open();
    const [first, second] = await challenge.evaluateSettled([1, "bad"]);
    expect(first).toMatchObject({ ok: true, answer: { score: 1 } });
    expect(second).toMatchObject({ ok: false, error: { code: "rejected" } });
  });

  it("names a value that is not JSON, and an unknown function, before it sends anything", async () => {
    const challenge = await open();
    expect(await failure(challenge.evaluate([1, { a: Number.NaN }]))).toMatchObject({
      code: "value_not_finite",
      message: expect.stringContaining("Value 1: "),
      details: { index: 1 },
    });
    expect((await failure(challenge.evaluate([1], { function: "classify" }))).message).toContain(
      '"evaluate"',
    );
    expect(library.broker.kept.size).toBe(0);
    expect(await challenge.evaluate([])).toEqual([]);
  });

  it("stops returning answers when the time is up", async () => {
    library.broker.grader = null;
    const challenge = await open();
    expect((await failure(challenge.evaluate([1, 2], { timeoutMs: 30 }))).code).toBe("still_pending");
  });
});
