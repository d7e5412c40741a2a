import { join } from "node:path";
import type { Leaderboard, Submission } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

describe("a baseline", () => {
  let test: TestBroker;
  let bob: string;
  let organizer: string;
  afterEach(() => test?.close());
  const start = async (more: Record<string, unknown> = {}, clock?: () => Date) => {
    test = await startBroker({ challenges: [more, { id: "other" }], ...(clock ? { clock } : {}) });
    bob = await test.addParticipant("bob");
    organizer = await addOrganizer(test.records, "org", ["test"], new Date().toISOString());
  };
  const submit = async (score: number, key = test.key) => {
    const client = await test.connect({ key });
    const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
    await untilEnd(client, submission.id);
    return submission.id;
  };
  const mark = (id: string, ...args: string[]) =>
    runCommand(test.folder, ["submission", "baseline", id, ...args, "--data", join(test.folder, "data")]);
  const board = async () => {
    const { rows } = (await (await test.fetch("/api/v1/challenges/test/leaderboard")).json()) as Leaderboard;
    return rows
      .filter(({ baseline }) => !baseline)
      .map((row) => [row.rank, row.participant, row.score, row.entries]);
  };
  const stored = (id: string) =>
    test.records.db
      .selectFrom("submissions")
      .select(["baseline", "baseline_comment", "rank", "best"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();

  it("has no rank and does not count for its participant until it is unmarked", async () => {
    await start();
    const best = await submit(0.9);
    await submit(0.5);
    await submit(0.7, bob);
    expect(await mark(best, "--comment", "linear regression")).toMatchObject({ code: 0 });
    expect(await board()).toEqual([
      [1, "bob", 0.7, 1],
      [2, "ada", 0.5, 1],
    ]);
    expect(await stored(best)).toEqual({
      baseline: 1,
      baseline_comment: "linear regression",
      rank: null,
      best: 0,
    });
    expect(await mark(best, "--remove")).toMatchObject({ code: 0 });
    expect(await board()).toEqual([
      [1, "ada", 0.9, 2],
      [2, "bob", 0.7, 1],
    ]);
    expect(await stored(best)).toEqual({ baseline: 0, baseline_comment: null, rank: 1, best: 1 });
  });

  it("removes a participant without other entries from the board, also after others are graded", async () => {
    await start();
    const only = await submit(0.9);
    await mark(only);
    await submit(0.7, bob);
    expect(await board()).toEqual([[1, "bob", 0.7, 1]]);
  });

  it("remains a baseline after a regrade", async () => {
    await start();
    const only = await submit(0.9);
    await submit(0.7, bob);
    await mark(only);
    const { rebuildStandings } = await import("../../src/domain/leaderboard/rebuild-standings.ts");
    await test.records.transaction((trx) => rebuildStandings(trx, "test"));
    expect(await board()).toEqual([[1, "bob", 0.7, 1]]);
  });

  it("does not qualify its participant for the next round", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const rounds = [
      { id: "1", ends_at: "2026-01-31T00:00:00Z" },
      { id: "2", starts_at: "2026-01-31T00:00:00Z", minimum_score: 0.5 },
    ];
    await start({ rounds }, () => new Date(now));
    await mark(await submit(0.9));
    now = Date.parse("2026-02-01T00:00:00Z");
    const client = await test.connect();
    await expect(client.submit({ input: { kind: "inline", data: { score: 1 } } })).rejects.toMatchObject({
      code: "not_qualified",
    });
  });

  it("can be marked over the API, by the challenge's organizers only", async () => {
    await start();
    const id = await submit(0.9);
    const put = (key: string, body: unknown) =>
      test.fetch(`/api/v1/submissions/${id}/baseline`, { method: "PUT", key, body });
    const stranger = await addOrganizer(test.records, "stranger", ["other"], new Date().toISOString());
    expect((await put(test.key, { baseline: true })).status).toBe(403);
    expect((await put(stranger, { baseline: true })).status).toBe(404);
    expect((await put(organizer, { baseline: "yes" })).status).toBe(400);
    expect(await (await put(organizer, { baseline: true, comment: "ours" })).json()).toEqual({
      baseline: true,
      comment: "ours",
    });
    expect(await board()).toEqual([]);
    expect(await (await put(organizer, { baseline: false })).json()).toEqual({
      baseline: false,
      comment: null,
    });
    expect(await board()).toEqual([[1, "ada", 0.9, 1]]);
  });

  it("cannot be a submission that may not appear on a board", async () => {
    await start();
    const client = await test.connect();
    const { submission } = await client.submit({
      dry_run: true,
      input: { kind: "inline", data: { score: 1 } },
    });
    await untilEnd(client, submission.id);
    expect(await mark(submission.id)).toMatchObject({ code: 2 });
    expect(await mark("nothing")).toMatchObject({ code: 2 });
    const seen = (await (await test.fetch(`/api/v1/submissions/${submission.id}`)).json()) as Submission;
    expect(seen.state).toBe("graded");
  });
});
