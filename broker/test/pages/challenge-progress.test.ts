import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { writeSubmissions } from "./graded-rows.ts";

const NOW = Date.parse("2026-03-10T12:00:00.000Z");
const END = "2026-03-13T16:30:00.000Z";

describe("the page of a challenge", () => {
  let test: TestBroker;
  const page = async (path: string) =>
    (await (await test.fetch(path)).text()).replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");
  const html = async (path: string) => (await test.fetch(path)).text();

  beforeAll(async () => {
    test = await startBroker({
      withGrader: false,
      clock: () => new Date(NOW),
      challenges: [
        {
          score: { title: "Loss", order: "ascending", precision: 3 },
          after_end: "accept",
          rounds: [{ id: "1", ends_at: END }],
        },
        { id: "hidden", visibility: { leaderboard: false } },
        { id: "later", rounds: [{ id: "1", starts_at: END }] },
        { id: "over", rounds: [{ id: "1", ends_at: "2026-03-01T00:00:00Z" }] },
      ],
    });
    await test.addParticipant("bob");
    await writeSubmissions(test, "test", "ascending", [
      { id: "a0000001", participant: "ada", at: "2026-03-01T10:00:00.000Z", score: 9 },
      { id: "b0000001", participant: "bob", at: "2026-03-01T10:20:00.000Z", score: 8 },
      { id: "a0000002", participant: "ada", at: "2026-03-03T10:00:00.000Z", score: 8.5 },
      { id: "a0000003", participant: "ada", at: "2026-03-05T10:00:00.000Z", score: 3 },
      { id: "a0000004", participant: "ada", at: "2026-03-06T10:00:00.000Z", score: null },
      { id: "baseline", participant: "bob", at: "2026-03-07T10:00:00.000Z", score: 1, baseline: 1 },
      { id: "late0000", participant: "bob", at: "2026-03-20T10:00:00.000Z", score: 2, post_challenge: 1 },
    ]);
    await writeSubmissions(test, "hidden", "descending", [
      { id: "secret00", participant: "ada", at: "2026-03-01T00:00:00.000Z", score: 0.5 },
    ]);
  });
  afterAll(() => test?.close());

  it("draws the best score over time, without baselines, failures and what came after the end", async () => {
    expect(await page("/challenges/test")).toContain(
      "Loss : 8.000 on 1 Mar, 10:00 UTC , 3.000 since 5 Mar, 10:00 UTC , 1 improvement.",
    );
    expect(await html("/challenges/test")).toMatch(/class="plot-steps" d="M0 \d+H\d+V\d+H1000"/);
  });

  it("draws no chart where the board is hidden, or empty", async () => {
    for (const id of ["hidden", "later"]) expect(await html(`/challenges/${id}`)).not.toContain("plot-steps");
  });

  it("says how long the round is still open, or when it opens, without a script", async () => {
    expect(await page("/challenges/test")).toContain("3 days 4 hours left to submit");
    expect(await page("/challenges/later")).toContain("Opens in 3 days 4 hours");
    expect(await page("/challenges/over")).not.toContain("left to submit");
  });
});
