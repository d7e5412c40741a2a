import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Limits, PublicChallenge, Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { closeChallenge } from "../../src/domain/publishing/close-challenge.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const PAST = "2026-02-01T00:00:00Z";
const SOON = "2026-04-01T00:00:00.000Z";
const LATER = "2026-05-01T00:00:00Z";
const value = (score: number) => ({ kind: "inline" as const, data: { score } });

describe("what the broker says of challenges and submissions", () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await startBroker({
      clock: () => new Date(NOW),
      challenges: [
        {
          score: { title: "Score", precision: 2 },
          rounds: [
            { id: "own", limit: { count: 2, per: "day", scope: "round" } },
            { id: "all", starts_at: PAST, limit: { count: 3, per: "day" } },
          ],
        },
        { id: "tomorrow", title: "Tomorrow", rounds: [{ id: "1", starts_at: SOON, ends_at: LATER }] },
        { id: "shut", title: "Shut", rounds: [{ id: "1", ends_at: LATER }] },
      ],
    });
  });
  afterAll(() => test?.close());

  const get = async <T>(path: string, key = test.key) =>
    (await (await test.fetch(`/api/v1/${path}`, { key })).json()) as T;
  const page = async (path: string) => (await (await test.fetch(path)).text()).replace(/<[^>]+>/g, "");
  const graded = async (round: string, score: number, key = test.key) => {
    const client = await test.connect({ key });
    const { submission } = await client.submit({ round, input: value(score) });
    await untilEnd(client, submission.id);
    return submission.id;
  };

  it("a round to come opens on its date, in JSON and on the pages", async () => {
    expect(await get<PublicChallenge>("challenges/tomorrow")).toMatchObject({
      state: "upcoming",
      opens_at: SOON,
      round: null,
      rounds: [{ state: "upcoming" }],
    });
    expect(await get<Limits>("challenges/tomorrow/limits")).toMatchObject({ round: null, opens_at: SOON });
    for (const path of ["/", "/challenges/tomorrow"]) {
      expect(await page(path)).toContain("Round 1 opens on 1 Apr 2026");
      expect(await page(path)).not.toContain("ended 1 May");
    }
  });

  it("a closed challenge is closed in JSON, in the limits, in calls and on the pages", async () => {
    await closeChallenge(test.records, null, "shut", { force: true, now: new Date(NOW) });
    const closed_at = new Date(NOW).toISOString();
    expect(await get<PublicChallenge>("challenges/shut")).toMatchObject({
      state: "closed",
      closed_at,
      round: null,
      rounds: [{ state: "ended" }],
    });
    expect(await get<Limits>("challenges/shut/limits")).toMatchObject({ round: null, closed_at });
    expect(await get<Limits>("challenges/shut/limits?round=1")).toMatchObject({ round: null, closed_at });
    const client = await test.connect();
    await expect(client.submit({ challenge: "shut", input: value(1) })).rejects.toMatchObject({
      code: "challenge_closed",
    });
    const items = [{ id: "aaaaaaaaaaaaaaaa", data: { x: 1 } }];
    await expect(
      client.ask("call", { challenge: "shut", function: "evaluate", items }),
    ).rejects.toMatchObject({ code: "challenge_closed" });
    for (const path of ["/", "/challenges/shut"]) expect(await page(path)).toContain("closed on 1 Mar 2026");
  });

  it("today's rank and best stand beside those of the grade", async () => {
    const bob = await test.addParticipant("bob");
    const first = await graded("all", 0.5);
    await graded("all", 0.7, bob);
    const second = await graded("all", 0.675);
    expect(await get<Submission>(`submissions/${first}`)).toMatchObject({
      rank: 1,
      best: true,
      standing: { rank: 2, best: false },
    });
    expect((await get<{ submissions: Submission[] }>("submissions")).submissions).toMatchObject([
      { id: second, rank: 2, standing: { rank: 2, best: true } },
      { id: first, rank: 1, standing: { rank: 2, best: false } },
    ]);
    const session = await test.fetch(`/submissions/${first}`);
    expect(session.status).toBe(404);
  });

  it("a limit counts all rounds or its own, and says how much others took", async () => {
    await graded("own", 0.1);
    expect(await get<Limits>("challenges/test/limits?round=all")).toMatchObject({
      limit: { scope: "challenge" },
      used: 3,
      used_in_other_rounds: 1,
      remaining: 0,
    });
    expect(await get<Limits>("challenges/test/limits?round=own")).toMatchObject({
      limit: { scope: "round" },
      used: 1,
      used_in_other_rounds: 0,
      remaining: 1,
    });
    await expect(graded("all", 0.1)).rejects.toMatchObject({
      code: "no_slots",
      message: expect.stringContaining("(1 of them in other rounds)"),
    });
    await graded("own", 0.1);
    await expect(graded("own", 0.1)).rejects.toMatchObject({ code: "no_slots" });
    expect(await page("/challenges/test")).toContain("3 per day, across all rounds");
  });

  it("an organizer's key names the organizer", async () => {
    const key = await addOrganizer(test.records, "org", ["test"], new Date().toISOString());
    expect(await get("me", key)).toMatchObject({
      error: { code: "not_allowed", details: { organizer: { name: "org", challenges: ["test"] } } },
    });
  });

  it("no one is invited to, or made an organizer of, an unknown challenge", async () => {
    const command = (...args: string[]) =>
      runCommand(test.folder, [...args, "--data", join(test.folder, "data")]);
    for (const args of [
      ["participant", "invite", "bob"],
      ["organizer", "add", "other"],
      ["organizer", "set", "org"],
    ])
      expect(await command(...args, "--challenges", "test,shutt")).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('There is no challenge "shutt" (did you mean "shut"?) here.'),
      });
    expect((await command("participant", "invitations")).stdout).toBe("");
    expect(await command("participant", "invite", "bob", "--challenges", "shut")).toMatchObject({ code: 0 });
  });

  it("before the first start of a broker, an organizer of any challenge can be added", async () => {
    const empty = join(test.folder, "empty");
    await mkdir(empty);
    const added = await runCommand(empty, ["organizer", "add", "org", "--challenges", "iris"]);
    expect(added.code).toBe(0);
  });
});
