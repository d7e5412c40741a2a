import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, BOB, DAY, type Domain, graded, openDomain } from "../../../test/support/domain.ts";
import { markBaseline } from "./mark-baseline.ts";
import { selectFinal, unfit } from "./select-final.ts";

let domain: Domain;
const round = { id: "1", parallel_limit: null, limit: null, ends_at: "2026-03-12T12:00:00Z" };
beforeEach(async () => {
  domain = await openDomain();
  domain.serve({ rounds: [round], final: { select: 2 } });
});
afterEach(() => domain.close());

const name = (letter: string) => `submission-${letter}`;
async function grade(letter: string, score: number, more: object = {}, by = ADA) {
  await domain.submit({ id: name(letter) }, by);
  await domain.report({ type: "finished", submission: name(letter), outcome: graded(score, more) });
  domain.pass(1000);
}
const select = (letter: string, selected = true) => selectFinal(domain.services, ADA, name(letter), selected);
const selection = async () => {
  const rows = await domain.db.selectFrom("final_selections").selectAll().orderBy("selected_at").execute();
  return rows.map(({ submission }) => submission.at(-1)).join("");
};
const standing = async (board: "current" | "final") => {
  const rows = await domain.db.selectFrom("standings").selectAll().where("board", "=", board).execute();
  return rows.map(({ submission, sort_primary }) => [submission.at(-1), sort_primary]);
};

describe("selecting a submission for the final ranking", () => {
  it("puts it on the final board instead of a better public one, and removing it puts that back", async () => {
    await grade("a", 0.9, { score_final: 0.1 });
    await grade("b", 0.5, { score_final: 0.4 });
    await grade("c", 0.1, { score_final: 0.8 });
    // Of the two best public ones, the better final score.
    const before = await standing("final");
    expect(before.map(([submission]) => submission)).toEqual(["b"]);
    expect((await select("c")).selected).toBe(true);
    expect((await standing("final")).map(([submission]) => submission)).toEqual(["c"]);
    expect(await standing("current")).toMatchObject([["a", expect.anything()]]);
    expect((await select("c", false)).selected).toBe(false);
    expect(await standing("final")).toEqual(before);
  });

  it("twice changes nothing, and one more than allowed is refused with those that are selected", async () => {
    for (const letter of ["a", "b", "c"]) await grade(letter, 0.5);
    await select("b");
    domain.pass(1000);
    await select("b");
    await select("a");
    expect(await selection()).toBe("ba");
    await expect(select("c")).rejects.toMatchObject({
      code: "selection_full",
      message: expect.stringContaining("submission-b and submission-a"),
      details: { selected: [name("b"), name("a")], most: 2 },
    });
    // Repeated, it is still selected.
    expect((await select("a")).selected).toBe(true);
    await select("b", false);
    await select("c");
    expect(await selection()).toBe("ac");
  });

  it("counts those of the same participant and round alone", async () => {
    for (const letter of ["a", "b", "c"]) await grade(letter, 0.5);
    await grade("d", 0.5, {}, BOB);
    await select("a");
    await select("b");
    await selectFinal(domain.services, BOB, name("d"), true);
    await domain.db
      .updateTable("final_selections")
      .set({ round: "0" })
      .where("submission", "=", name("b"))
      .execute();
    await select("c");
    const key = { challenge: "another", round: "1", participant_id: ADA.id, selected_at: "" };
    await domain.db
      .insertInto("final_selections")
      .values({ ...key, submission: name("a") })
      .execute();
    await select("a", false);
    expect(
      await domain.db.selectFrom("final_selections").selectAll().orderBy("submission").execute(),
    ).toMatchObject([
      { submission: name("a"), challenge: "another" },
      { submission: name("b"), round: "0" },
      { submission: name("c") },
      { submission: name("d"), participant_id: BOB.id },
    ]);
  });

  it("is over with the round, and impossible in a round that is gone", async () => {
    await grade("a", 0.5);
    domain.pass(2 * DAY);
    for (const selected of [true, false])
      await expect(select("a", selected)).rejects.toMatchObject({ code: "selection_closed" });
    domain.serve({ rounds: [{ id: "2" }], final: { select: 2 } });
    await expect(select("a")).rejects.toMatchObject({ code: "selection_closed" });
    domain.serve({ rounds: [{ id: "1" }, { id: "2" }], final: { select: 2 } });
    expect((await select("a")).selected).toBe(true);
  });

  it("needs final scores: of the challenge, or of a grade", async () => {
    domain.serve({ rounds: [round] });
    await grade("a", 0.5);
    await expect(select("a")).rejects.toMatchObject({
      code: "not_selectable",
      message: expect.stringContaining("has no final scores"),
      next: "Its leaderboard shows your best submission.",
    });
    await grade("b", 0.5, { score_final: 0.5 });
    expect((await select("a")).selected).toBe(true);
  });

  it("is refused before any board exists", async () => {
    await domain.submit({ id: name("a") });
    await expect(select("a")).rejects.toMatchObject({ code: "not_selectable" });
  });

  it("locks the submission's participant and the boards, and refuses that of another", async () => {
    await grade("a", 0.5);
    domain.seen.locked.length = 0;
    await select("a");
    expect(domain.seen.locked).toHaveLength(2);
    expect(domain.seen.locked[1]).toMatch(/sums.* shared$/);
    await expect(selectFinal(domain.services, BOB, name("a"), true)).rejects.toMatchObject({
      code: "submission_unknown",
    });
  });

  it.each([
    [{ function: "evaluate" }, "it counts on no leaderboard"],
    [{ dry_run: 1 }, "it counts on no leaderboard"],
    [{ baseline: 1 }, "it is a baseline"],
    [{ post_challenge: 1 }, "it was made after the end of its round"],
    [{ state: "failed" }, "it failed"],
    [{ state: "cancelled" }, "it was cancelled"],
    [{ state: "grading" }, "it is not graded yet"],
    [{}, null],
  ] as const)("of one with %j: %s", async (change, reason) => {
    await grade("a", 0.5);
    await domain.set(change, name("a"));
    expect(unfit(await domain.row(name("a")))).toBe(reason);
    if (reason) await expect(select("a")).rejects.toMatchObject({ code: "not_selectable" });
    if (reason) await expect(select("a")).rejects.toThrow(`submission-a cannot be selected: ${reason}.`);
  });
});

describe("marking a baseline", () => {
  it("takes it off its participant's place, and unmarking it puts it back", async () => {
    await grade("a", 0.9);
    await grade("b", 0.5);
    domain.seen.locked.length = 0;
    const marked = await markBaseline(domain.records, name("a"), { comment: "The\u0007 organizer's" });
    expect(domain.seen.locked).toHaveLength(2);
    expect(marked).toMatchObject({ baseline: 1, baseline_comment: "The\\u0007 organizer's", rank: null });
    expect((await standing("current")).map(([submission]) => submission)).toEqual(["b"]);
    const unmarked = await markBaseline(domain.records, name("a"), null);
    expect(unmarked).toMatchObject({ baseline: 0, baseline_comment: null, rank: 1, best: 1 });
    expect((await standing("current")).map(([submission]) => submission)).toEqual(["a"]);
    expect(await markBaseline(domain.records, name("a"), { comment: null })).toMatchObject({
      ...{ baseline: 1, baseline_comment: null },
    });
  });

  it("is possible before the grade, and changes no board", async () => {
    await domain.submit({ id: name("a") });
    expect(await markBaseline(domain.records, name("a"), { comment: null })).toMatchObject({
      ...{ baseline: 1, state: "submitted" },
    });
    expect(await domain.db.selectFrom("board_rounds").selectAll().execute()).toEqual([]);
  });

  it.each([{ function: "evaluate" }, { dry_run: 1 }])("is refused for one with %j", async (change) => {
    await grade("a", 0.5);
    await domain.set(change, name("a"));
    await expect(markBaseline(domain.records, name("a"), null)).rejects.toMatchObject({ code: "usage" });
  });
});
