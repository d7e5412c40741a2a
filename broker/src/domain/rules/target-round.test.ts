import { CrowdaiError } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { expect, it } from "vitest";
import { findRound, targetRound } from "./target-round.ts";

const day = (number: number) => `2026-03-0${number}T00:00:00.000Z`;
const on = (number: number) => new Date(Date.parse(day(number)) + 3_600_000);
const challenge = (after_end: "accept" | "reject", rounds: object[]) =>
  challengeConfigSchema.parse({
    ...{ id: "test", title: "A test", score: { order: "descending" }, accepts: { json: {} } },
    ...{ evaluator: { command: ["true"] }, after_end, rounds },
  });
const ROUNDS = [
  { id: "first", starts_at: day(1), ends_at: day(2) },
  { id: "second", starts_at: day(3), ends_at: day(4) },
  { id: "third", starts_at: day(5), ends_at: day(6) },
];
const rejecting = challenge("reject", ROUNDS);
const accepting = challenge("accept", ROUNDS);

function refusal(work: () => unknown): CrowdaiError {
  try {
    work();
  } catch (error) {
    if (error instanceof CrowdaiError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

it("is found by its id, or by its number in order of start", () => {
  expect(findRound(rejecting, "second").id).toBe("second");
  expect(findRound(rejecting, "3").id).toBe("third");
  const numbered = challenge("reject", [
    { id: "2", starts_at: day(1) },
    { id: "1", starts_at: day(2) },
  ]);
  // An id comes before a number.
  expect(findRound(numbered, "1").id).toBe("1");
  const error = refusal(() => findRound(rejecting, "fourth".repeat(50)));
  expect(error.code).toBe("round_unknown");
  expect(error.message).toBe(
    `test has no round "${"fourth".repeat(50).slice(0, 100)}"; it has "first", "second", "third".`,
  );
});

it("is the open one, unless another open one was asked for", () => {
  expect(targetRound(rejecting, null, on(3))).toMatchObject({
    round: { id: "second" },
    number: 2,
    postChallenge: false,
  });
  expect(targetRound(rejecting, "2", on(3))).toMatchObject({ round: { id: "second" }, number: 2 });
});

it("is the last that ended, where submissions are accepted after the end", () => {
  const late = { round: { id: "second" }, number: 2, postChallenge: true };
  expect(targetRound(accepting, null, on(4))).toMatchObject(late);
  expect(targetRound(accepting, "second", on(8))).toMatchObject(late);
  expect(targetRound(accepting, null, on(8))).toMatchObject({ round: { id: "third" }, number: 3 });
});

it.each([
  ["before all", null, 0, `No round of test is open. The next one, "first", opens at ${day(1)}.`, null],
  ["between two", null, 2, `test ended at`, "first"],
  ["in one to come", "third", 3, `Round "third" of test opens at ${day(5)}.`, "third"],
  [
    "in one that ended",
    "first",
    3,
    `Round "first" of test ended at ${day(2)}. The next one, "third"`,
    "first",
  ],
  ["after all", "third", 8, `Round "third" of test ended at ${day(6)}.`, "third"],
] as const)("is refused %s, with the time of the next", (_, wanted, when, text, about) => {
  const arrival = when === 0 ? new Date("2026-02-01T00:00:00Z") : on(when);
  const error = refusal(() => targetRound(rejecting, wanted, arrival));
  expect(error.code).toBe("round_not_open");
  const round = ROUNDS.find(({ id }) => id === about);
  expect(error.details).toEqual({ starts_at: round?.starts_at ?? null, ends_at: round?.ends_at ?? null });
  expect(error.message).toContain(text);
});

it("is refused to come even where submissions are accepted after the end", () => {
  expect(refusal(() => targetRound(accepting, "third", on(3))).message).toContain("opens at");
});
