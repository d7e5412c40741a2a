import type { Leaderboard, Submission } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

describe("the leaderboard", () => {
  let test: TestBroker;
  afterEach(() => test?.close());

  async function grade(name: string, score: number, secondary?: number): Promise<Submission> {
    const client = await test.connect({ key: name === "ada" ? test.key : await keyOf(name) });
    const { submission } = await client.submit({ input: { kind: "inline", data: { score, secondary } } });
    await untilEnd(client, submission.id);
    const { submission: graded } = await client.ask<{ submission: Submission }>("watch", {
      id: submission.id,
    });
    client.socket.disconnect();
    return graded;
  }
  const keys = new Map<string, string>();
  async function keyOf(name: string): Promise<string> {
    const key = keys.get(name) ?? (await test.addParticipant(name));
    keys.set(name, key);
    return key;
  }
  const board = async (): Promise<Leaderboard> =>
    (await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard;
  const start = async (challenge: Record<string, unknown>) => {
    keys.clear();
    test = await startBroker({ challenges: [challenge] });
  };

  it("has one row per participant with the best graded submission, rank and number of entries", async () => {
    await start({});
    await grade("ada", 0.5);
    await grade("bob", 0.9);
    await grade("ada", 0.4);
    const { rows, total } = await board();
    expect(total).toBe(2);
    expect(rows).toMatchObject([
      { rank: 1, participant: "bob", score: 0.9, entries: 1, you: false },
      { rank: 2, participant: "ada", score: 0.5, entries: 2, you: true },
    ]);
  });

  it("shows a submission's rank and its rank before", async () => {
    await start({});
    expect(await grade("ada", 0.5)).toMatchObject({ rank: 1, rank_before: null, best: true });
    await grade("bob", 0.9);
    expect(await grade("ada", 0.6)).toMatchObject({ rank: 2, rank_before: 2, best: true });
    expect(await grade("ada", 0.95)).toMatchObject({ rank: 1, rank_before: 2, best: true });
    expect(await grade("ada", 0.1)).toMatchObject({ rank: 1, rank_before: 1, best: false });
  });

  it("puts the smallest score first in ascending order, with minus zero equal to zero", async () => {
    await start({ score: { order: "ascending", precision: 2 } });
    await grade("ada", 0);
    await grade("bob", -0);
    await grade("cid", -1);
    await grade("dan", 1);
    expect((await board()).rows.map((row) => [row.participant, row.score])).toEqual([
      ["cid", -1],
      ["ada", 0],
      ["bob", 0],
      ["dan", 1],
    ]);
  });

  it("compares rounded scores, then secondary scores, then arrival times", async () => {
    await start({
      score: { order: "descending", precision: 2 },
      score_secondary: { order: "ascending", precision: 1 },
    });
    await grade("ada", 0.904, 5);
    await grade("bob", 0.9, 4.04);
    await grade("cid", 0.896, 4);
    await grade("dan", 0.9);
    expect((await board()).rows.map((row) => [row.participant, row.score, row.score_secondary])).toEqual([
      ["bob", 0.9, 4],
      ["cid", 0.9, 4],
      ["ada", 0.9, 5],
      ["dan", 0.9, null],
    ]);
  });

  it("is hidden where the organizer chose so, and shows names as text on the page", async () => {
    await start({ visibility: { leaderboard: false, submissions: false, private: false } });
    expect((await test.fetch("/api/v1/challenges/test/leaderboard")).status).toBe(403);
    expect(await (await test.fetch("/challenges/test")).text()).toContain("not displayed yet");
    await test.close();
    await start({ title: "<script>alert(1)</script>" });
    await grade("<b>eve</b>", 1);
    // Long names may break at their signs.
    const page = (await (await test.fetch("/challenges/test")).text()).replaceAll("<wbr/>", "");
    expect(page).toContain("&lt;b&gt;eve&lt;/b&gt;");
    expect(page).not.toContain("<script>alert");
  });
});
