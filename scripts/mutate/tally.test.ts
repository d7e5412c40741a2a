import { describe, expect, it } from "vitest";
import type { Mutant } from "./instrument.ts";
import { tally } from "./tally.ts";

const mutant = (number: number): Mutant => ({
  id: `a.ts#${number}`,
  file: "a.ts",
  line: number,
  source: `if (a === ${number}) return;`,
  change: `a === ${number} → true`,
});
const named = ({ file, source, change }: Mutant) => ({ file, source, change, because: "it is the same" });

describe("the results of an area", () => {
  it("count a mutant by its last result, and one that ended or blocked the process as killed", () => {
    const mutants = [1, 2, 3, 4, 5].map(mutant);
    const counts = tally(
      mutants,
      [
        { id: "a.ts#1", status: "started" },
        { id: "a.ts#1", status: "survived" },
        { id: "a.ts#1", status: "started" },
        { id: "a.ts#1", status: "killed", by: "a test" },
        { id: "a.ts#2", status: "started" },
        { id: "a.ts#3", status: "timeout", by: "a test" },
        { id: "a.ts#4", status: "survived" },
      ],
      [],
    );
    expect(counts).toMatchObject({ mutants: 5, killed: 3, timeouts: 2, named: 0 });
    expect(counts.unnamed.map(({ id, reached }) => [id, reached])).toEqual([
      ["a.ts#4", true],
      ["a.ts#5", false],
    ]);
  });

  it("take named survivors from the list, and show names whose mutant is killed or gone", () => {
    const [first, second, gone] = [mutant(1), mutant(2), mutant(3)];
    const elsewhere = { ...named(gone), file: "b.ts" };
    const counts = tally(
      [first, second],
      [
        { id: first.id, status: "survived" },
        { id: second.id, status: "killed" },
      ],
      [named(first), named(second), named(gone), elsewhere],
    );
    expect(counts).toMatchObject({ killed: 1, named: 1, unnamed: [] });
    expect(counts.outdated).toEqual([named(second), named(gone)]);
  });

  it("report tests that fail without a mutant", () => {
    expect(tally([], [{ id: "", status: "failed", by: "a test" }], []).failures).toEqual(["a test"]);
  });
});
