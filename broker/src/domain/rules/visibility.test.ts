import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMigratedSqlite } from "../../../test/support/migrated-sqlite.ts";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import {
  accessToSubmission,
  isOpenBoard,
  isOrganizerOf,
  knowsChallenge,
  maySeeChallenge,
  requireVisible,
  showsSubmissions,
  sightOfBoard,
  sightOfSubmissions,
  type Viewer,
} from "./visibility.ts";

const NOW = new Date("2026-03-10T12:00:00.000Z");
const [YESTERDAY, TOMORROW] = [-1, 1].map((days) =>
  new Date(NOW.getTime() + days * 86_400_000).toISOString(),
);

const participant = (id: number): Viewer => ({ kind: "participant", id });
const INVITED = participant(1);
/** Submitted while invited. */
const FORMER = participant(2);
const STRANGER = participant(3);
const ORGANIZER: Viewer = { kind: "organizer", id: 1 };
/** Of another challenge, with the id of an invited participant. */
const FOREIGN: Viewer = { kind: "organizer", id: 2 };
const EVERYONE = [null, INVITED, FORMER, STRANGER, ORGANIZER, FOREIGN];

const folder = mkdtempSync(join(tmpdir(), "crowdai-visibility-"));
let records: Records;
beforeAll(async () => {
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  records = await openSqlite(join(folder, "records.sqlite"));
  const { db } = records;
  const named = (name: string) => ({ name, name_key: name, created_at: "" });
  await db.insertInto("participants").values(["ada", "bob", "eve"].map(named)).execute();
  await db.insertInto("organizers").values(["org", "other"].map(named)).execute();
  await db
    .insertInto("organizer_challenges")
    .values([
      { organizer_id: 1, challenge: "test" },
      { organizer_id: 2, challenge: "other" },
    ])
    .execute();
  await db
    .insertInto("invitations")
    .values([
      { challenge: "test", participant_id: 1, created_at: "" },
      { challenge: "other", participant_id: 3, created_at: "" },
    ])
    .execute();
  const submission = (id: string, participant_id: number, challenge: string) => ({
    ...{ id, challenge, participant_id, round: "1", function: "submit", state: "graded" as const },
    ...{ message: null, dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_name: null },
    ...{ input_size: 2, input_sha256: "", input_data: "{}", input_key: null, created_at: "" },
    ...{ accepted_at: "", deadline_at: null, attempt: 1, starts: 1, seq: 4, model_count: 0 },
  });
  await db
    .insertInto("submissions")
    .values([submission("former", 2, "test"), submission("elsewhere", 3, "other")])
    .execute();
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const challenge = (visibility: object, rounds: object[] = [{ id: "1" }]) =>
  challengeConfigSchema.parse({
    ...{ id: "test", title: "A test", score: { order: "descending" }, accepts: { json: {} } },
    ...{ evaluator: { command: ["true"] }, visibility, rounds },
  });
const OPEN = challenge({});
const PRIVATE = challenge({ private: true });
const needs = () => ({
  records,
  catalog: { unknown: (id: string) => new CrowdaiError("challenge_unknown", `There is no ${id}.`) },
});

/**
 * The result for each viewer: null, an invited one, a former one, a stranger, an organizer, and a foreign
 * organizer.
 */
function forEveryone<T>(ask: (viewer: Viewer) => Promise<T>): Promise<unknown[]> {
  return Promise.all(
    EVERYONE.map((viewer) => ask(viewer).catch((error: unknown) => (error as CrowdaiError).code)),
  );
}

it("an organizer is one of the challenge's own", async () => {
  const seen = await forEveryone((viewer) => isOrganizerOf(records.db, viewer, "test"));
  expect(seen).toEqual([false, false, false, false, true, false]);
});

describe("a challenge", () => {
  it("is visible to everyone, unless it is private", async () => {
    expect(await forEveryone((viewer) => maySeeChallenge(records.db, OPEN, viewer))).toEqual(
      EVERYONE.map(() => true),
    );
    const seen = await forEveryone((viewer) => maySeeChallenge(records.db, PRIVATE, viewer));
    expect(seen).toEqual([false, true, false, false, true, false]);
  });

  it("is known to those who have submitted to it", async () => {
    const known = await forEveryone((viewer) => knowsChallenge(records.db, PRIVATE, viewer));
    expect(known).toEqual([false, true, true, false, true, false]);
  });

  it("does not exist for others, and is refused to those who know of it", async () => {
    const refused = await forEveryone((viewer) => requireVisible(needs(), PRIVATE, viewer));
    const unknown = "challenge_unknown";
    expect(refused).toEqual([unknown, undefined, "not_allowed", unknown, undefined, unknown]);
    await expect(requireVisible(needs(), PRIVATE, FORMER)).rejects.toMatchObject({
      message: "test is private, and you are no longer invited.",
      next: "Ask the organizer for an invitation.",
    });
  });
});

describe("a leaderboard", () => {
  it("is shown whole, and to a former participant with their own row", async () => {
    expect(await forEveryone((viewer) => sightOfBoard(needs(), OPEN, viewer))).toEqual(
      EVERYONE.map(() => "all"),
    );
    const unknown = "challenge_unknown";
    const seen = await forEveryone((viewer) => sightOfBoard(needs(), PRIVATE, viewer));
    expect(seen).toEqual([unknown, "all", "own", unknown, "all", unknown]);
  });

  it("that is hidden is shown to the challenge's organizers only", async () => {
    const hidden = challenge({ leaderboard: false, private: true });
    const unknown = "challenge_unknown";
    const seen = await forEveryone((viewer) => sightOfBoard(needs(), hidden, viewer));
    expect(seen).toEqual([unknown, "not_allowed", "not_allowed", unknown, "all", unknown]);
  });

  it("is open where it is neither hidden nor private", () => {
    const open = (config: typeof OPEN | null) =>
      isOpenBoard({ all: () => new Map(config ? [["test", { config }]] : []) as never }, "test");
    expect(open(OPEN)).toBe(true);
    expect(open(PRIVATE)).toBe(false);
    expect(open(challenge({ leaderboard: false }))).toBe(false);
    expect(open(null)).toBe(false);
  });
});

describe("submissions of others", () => {
  const SHOWN = { submissions: true };
  const ended = { id: "1", ends_at: YESTERDAY };

  it("are shown where submissions and leaderboard are, in a private challenge after its last round", () => {
    expect(showsSubmissions(OPEN, NOW)).toBe(false);
    expect(showsSubmissions(challenge(SHOWN), NOW)).toBe(true);
    expect(showsSubmissions(challenge({ ...SHOWN, leaderboard: false }), NOW)).toBe(false);
    const secret = (...rounds: object[]) => challenge({ ...SHOWN, private: true }, rounds);
    expect(showsSubmissions(secret(ended), NOW)).toBe(true);
    expect(showsSubmissions(secret(ended, { id: "2", ends_at: TOMORROW }), NOW)).toBe(false);
  });

  it("are listed to everyone who sees the challenge, else to each participant their own", async () => {
    const sight = (config: typeof OPEN) =>
      forEveryone((viewer) => sightOfSubmissions(needs(), config, viewer, NOW));
    expect(await sight(challenge(SHOWN))).toEqual(EVERYONE.map(() => "all"));
    expect(await sight(OPEN)).toEqual(["not_allowed", "own", "own", "own", "all", "not_allowed"]);
    const secret = challenge({ ...SHOWN, private: true }, [ended]);
    const unknown = "challenge_unknown";
    expect(await sight(secret)).toEqual([unknown, "all", "own", unknown, "all", unknown]);
  });

  it("are seen by their participant, by organizers, and once published or shown by others", async () => {
    const row = {
      ...{ participant_id: 2, challenge: "test", function: "submit", dry_run: 0 },
      published_at: null as string | null,
    };
    const access = (config: typeof OPEN | undefined, more: Partial<typeof row> = {}) =>
      forEveryone((viewer) => accessToSubmission(records.db, config, viewer, { ...row, ...more }, NOW));
    const hidden = [null, null, "own", null, "organizer", null];
    const shown = ["other", "other", "own", "other", "organizer", "other"];
    expect(await access(OPEN)).toEqual(hidden);
    expect(await access(undefined)).toEqual(hidden);
    expect(await access(challenge(SHOWN))).toEqual(shown);
    expect(await access(OPEN, { published_at: "2026-01-01" })).toEqual(shown);
    expect(await access(challenge(SHOWN), { dry_run: 1 })).toEqual(hidden);
    expect(await access(challenge(SHOWN), { function: "check" })).toEqual(hidden);
    const secret = challenge({ ...SHOWN, private: true }, [ended]);
    expect(await access(secret)).toEqual([null, "other", "own", null, "organizer", null]);
  });
});
