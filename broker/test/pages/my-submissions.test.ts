import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { writeSubmissions } from "./graded-rows.ts";
import { createPageClient } from "./page-client.ts";

const REASON = "Row 118: building b0118 is missing.";

describe("the list of a participant's submissions", () => {
  let test: TestBroker;
  let page: (path: string) => Promise<string>;
  const textOf = (html: string) => html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");

  beforeAll(async () => {
    const score = { title: "Loss", order: "ascending", precision: 3 };
    test = await startBroker({
      withGrader: false,
      challenges: [
        { title: "Energy", score },
        { id: "hidden", title: "Hidden", visibility: { leaderboard: false } },
      ],
    });
    await test.addParticipant("bob");
    await writeSubmissions(test, "test", "ascending", [
      { id: "first000", participant: "ada", at: "2026-03-01T00:00:00.000Z", score: 9 },
      { id: "bobs0000", participant: "bob", at: "2026-03-02T00:00:00.000Z", score: 2 },
      {
        id: "failed00",
        participant: "ada",
        at: "2026-03-03T00:00:00.000Z",
        score: null,
        error_code: "rejected",
        error_message: REASON,
      },
      {
        id: "second00",
        participant: "ada",
        at: "2026-03-04T00:00:00.000Z",
        score: 4,
        regraded_at: "2026-03-05T00:00:00.000Z",
        score_before: 1,
        // The grade's own message, outdated since the re-grade.
        best: 1,
        rank: 1,
      },
      { id: "third000", participant: "ada", at: "2026-03-06T00:00:00.000Z", score: 3, best: 0, rank: 2 },
    ]);
    await writeSubmissions(test, "hidden", "descending", [
      { id: "secret00", participant: "ada", at: "2026-03-01T00:00:00.000Z", score: 0.5, best: 1 },
      { id: "secret01", participant: "ada", at: "2026-03-02T00:00:00.000Z", score: 0.75, best: 0 },
    ]);
    const client = createPageClient(test);
    await client.signIn(test.key);
    page = async (path) => (await client.get(path)).text();
  });
  afterAll(() => test?.close());

  it("has rank, best, entries and chart of each challenge in the first answer", async () => {
    const html = await page("/submissions");
    expect(html.match(/class="plot-steps"/g)).toHaveLength(2);
    const text = textOf(html);
    expect(text).toContain("rank of 2 2");
    expect(text).toContain("best Loss 3.000");
    expect(text).toContain("entries, 1 failed 4");
    expect(text).toContain("best Score 0.750");
    expect(text.match(/rank of/g)).toHaveLength(1);
  });

  it("shows in the list of one challenge why one failed, the score before a re-grade, and which is the best today", async () => {
    const html = await page("/submissions?challenge=test");
    expect(html).toContain(REASON);
    const rows = new Map(
      html
        .slice(html.indexOf('class="submissions"'))
        .split("<tr>")
        .map((row) => [/href="\/submissions\/([^"]+)"/.exec(row)?.[1], textOf(row)]),
    );
    expect(rows.get("second00")).toContain("4.000 was 1.000");
    expect(rows.get("second00")).not.toContain("best");
    expect(rows.get("third000")).toContain("best");
    expect(html).toMatch(/class="plot-steps" d="M0 \d+H\d+V\d+H1000V\d+H1000"/);
  });

  it("shows on the page of a submission its old score, and whether it is the best today", async () => {
    const second = await page("/submissions/second00");
    expect(textOf(second)).toContain("was 1.000 before the re-grade");
    expect(second).not.toContain("personal best");
    expect(await page("/submissions/third000")).toContain("personal best");
  });

  it("says which is the best where the board is hidden, and no rank", async () => {
    expect(await page("/submissions/secret00")).not.toContain("personal best");
    expect(await page("/submissions/secret01")).toContain("personal best");
    const get = async (path: string) =>
      (await test.fetch(`/api/v1/${path}`, { key: test.key })).json() as Promise<never>;
    const best = { rank: null, best: true };
    expect(await get("submissions/secret01")).toMatchObject({ standing: best });
    const { submissions } = (await get("submissions?challenge=hidden")) as { submissions: Submission[] };
    expect(submissions.map(({ standing }) => standing)).toEqual([best, { rank: null, best: false }]);
  });
});
