import { describe, expect, it } from "vitest";
import { createBatches } from "./batches.ts";

/** Batches of words, each of which ends when the test says so. */
function start({ maxItems = 3, maxWeight = 1000 } = {}) {
  const sent: string[][] = [];
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const batches = createBatches<string>({
    ...{ maxItems, maxWeight, weigh: (word) => word.length },
    send(items) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      sent.push([...items]);
      ends.push({ resolve, reject });
      return promise;
    },
  });
  return { batches, sent, ends };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("batches", () => {
  it("hold what is added in one tick, and what is added while another is sent", async () => {
    const { batches, sent, ends } = start();
    const added = ["a", "b"].map((word) => batches.add(word));
    expect([sent, batches.size]).toEqual([[], 2]);
    await settle();
    added.push(batches.add("c"), batches.add("d"));
    await settle();
    expect([sent, batches.size]).toEqual([[["a", "b"]], 4]);
    ends[0]!.resolve();
    await settle();
    expect([sent, batches.size]).toEqual([
      [
        ["a", "b"],
        ["c", "d"],
      ],
      2,
    ]);
    ends[1]!.resolve();
    await Promise.all(added);
    expect(batches.size).toBe(0);
    void batches.add("e");
    await settle();
    expect(sent.at(-1)).toEqual(["e"]);
  });

  it("have a number of items and a weight at most, but one item at least", async () => {
    const { batches, sent, ends } = start({ maxItems: 3, maxWeight: 4 });
    const words = ["1", "2", "3", "4", "long", "5", "longer than all", "67", "89", "0"];
    const added = words.map((word) => batches.add(word));
    for (let at = 0; at < 5; at++) {
      await settle();
      ends[at]?.resolve();
    }
    await Promise.all(added);
    expect(sent).toEqual([["1", "2", "3"], ["4", "long"], ["5", "longer than all"], ["67", "89"], ["0"]]);
  });

  it("fail alone", async () => {
    const { batches, ends } = start({ maxItems: 2 });
    const added = Promise.allSettled(["a", "b", "c"].map((word) => batches.add(word)));
    await settle();
    ends[0]!.reject(new Error("no Redis"));
    await settle();
    ends[1]!.resolve();
    expect((await added).map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });
});
