import { BlockList } from "node:net";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CodeServices } from "../../src/background/code-services.ts";
import { embeddedWebapp } from "../../src/background/webapp/embedded-webapp.ts";
import { rateLimiters } from "../../src/base/rate-limits.ts";
import { disqualify, reinstate } from "../../src/domain/eligibility/disqualify.ts";
import { advanceWindows } from "../../src/domain/leaderboard/ranking-window.ts";
import { addKey, addOrganizer, addParticipant, revokeKeys } from "../../src/domain/participants/api-keys.ts";
import {
  announcePicture,
  changeProfile,
  clearProfile,
  replacePicture,
} from "../../src/domain/profiles/change-profile.ts";
import { markBaseline } from "../../src/domain/submissions/mark-baseline.ts";
import { writeFailure, writeGrade } from "../../src/domain/submissions/write-outcome.ts";
import { createPages } from "../../src/http/pages/pages.tsx";
import type { HttpServices } from "../../src/http/requests/http-services.ts";
import type { Records } from "../../src/records/records.ts";
import type { SubmissionRow } from "../../src/records/tables.ts";

const OWN = "https://broker.example.org";
const HOUR = 3_600_000;
const START = Date.parse("2026-01-05T00:00:00.000Z");
const NAMES = ["ada", "bob", "cleo", "dan", "eve", "fay"];
const PATHS = ["", "?round=2&board=ongoing", "?find=b", "/leaderboard", "/leaderboard.csv", "?page=2"];

const settings = {
  id: "test",
  title: "A test",
  description: "What it is about.",
  score: { precision: 3 },
  columns: [{ key: "recall", title: "Recall", precision: 2 }],
  final: { select: 1 },
  after_end: "accept",
  rounds: [
    { id: "1", ends_at: "2026-01-02T00:00:00Z" },
    {
      id: "2",
      starts_at: "2026-01-02T00:00:00Z",
      ends_at: "2026-01-20T00:00:00Z",
      ranking_window_hours: 2,
      highlight: 1,
    },
  ],
  evaluator: { command: ["true"] },
};
const configOf = (more: object = {}): ChallengeConfig =>
  challengeConfigSchema.parse({ ...settings, ...more });

/**
 * Two brokers with one database, and after each change a third that has only just started: whatever the first
 * two remember, they show what the third shows.
 */
export function currentPagesContract(open: () => Promise<Records>): void {
  let here: Records;
  let there: Records;
  let now = START;
  let config = configOf();
  let made = 0;
  const ids = new Map<string, number>();
  const cookies: Record<string, string> = { guest: "" };
  let brokers: App[];

  const catalog = {
    all: () => new Map([["test", { config, version: "1", data: [], bundle: null }]]),
  } as unknown as HttpServices["catalog"];
  const date = () => new Date(now);
  const iso = () => date().toISOString();
  const id = (name: string) => ids.get(name) as number;

  function start(records: Records) {
    const context = {
      records,
      catalog,
      clock: date,
      baseUrl: () => OWN,
      trustedProxies: new BlockList(),
      objects: { signGet: async () => "https://store.example.org/bucket/x?signature=1" },
      webapp: embeddedWebapp(records.db),
      log: pino({ level: "silent" }),
      graders: {
        all: async () => [],
        serving: async () => [],
        servingSessions: async () => [],
        lastSeen: () => new Date(START),
      },
      runsCode: () => false,
      dispatchStalled: () => false,
      seedsOf: () => null,
    } as unknown as HttpServices;
    return createPages({
      context: () => context,
      code: () => ({}) as CodeServices,
      nextEvent: async () => {},
      createRateLimiter: rateLimiters(),
      openapi: () => ({}),
    }).app;
  }
  type App = ReturnType<typeof start>;

  async function read(app: App, reader: string, path: string): Promise<string> {
    const answer = await app.request(`${OWN}/challenges/test${path}`, {
      headers: { accept: "text/html", cookie: cookies[reader] as string },
    });
    // The chart may be half a minute old.
    return (await answer.text()).replace(/<section aria-labelledby="progress">.*?<\/figure><\/section>/s, "");
  }

  async function expectCurrent(readers: readonly string[], paths: readonly string[]): Promise<void> {
    const fresh = start(here);
    for (const reader of readers)
      for (const path of paths) {
        const wanted = await read(fresh, reader, path);
        for (const [index, app] of brokers.entries())
          expect(await read(app, reader, path), `broker ${index}, ${reader}, ${path}`).toBe(wanted);
      }
  }

  async function arrive(name: string, more: object = {}): Promise<SubmissionRow> {
    return here.db
      .insertInto("submissions")
      .values({
        id: `s${made++}`,
        challenge: "test",
        participant_id: id(name),
        round: "2",
        function: "submit",
        state: "grading",
        dry_run: 0,
        post_challenge: now > Date.parse("2026-01-20T00:00:00Z") ? 1 : 0,
        input_kind: "json",
        input_size: 1,
        input_sha256: "",
        created_at: iso(),
        attempt: 1,
        starts: 1,
        seq: 3,
        ...more,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }
  async function grade(name: string, score: number, final: number | null = null): Promise<string> {
    const row = await arrive(name);
    const outcome = { ...OUTCOME, score, score_final: final, data: { recall: score / 2 } };
    await there.transaction((trx) => writeGrade(trx, config, row, outcome as never, date()));
    return row.id;
  }
  const bestOf = async (name: string) =>
    (
      await here.db
        .selectFrom("standings")
        .select("submission")
        .where("participant_id", "=", id(name))
        .where("board", "=", "ongoing")
        .executeTakeFirst()
    )?.submission ?? "";
  const change = (submission: string, columns: object) =>
    there.db.updateTable("submissions").set(columns).where("id", "=", submission).execute();

  beforeAll(async () => {
    [here, there] = [await open(), await open()];
    brokers = [start(here), start(there)];
    for (const name of NAMES) {
      const key = await addParticipant(here, name, iso());
      if (name === "ada" || name === "bob") await signIn(name, key);
    }
    await signIn("olga", await addOrganizer(here, "olga", ["test"], iso()));
    for (const row of await here.db.selectFrom("participants").select(["id", "name"]).execute())
      ids.set(row.name, row.id);
    for (const [index, name] of NAMES.slice(0, 5).entries()) await grade(name, 0.5 + index / 100, 0.1);
  });
  afterAll(async () => {
    await here?.close();
    await there?.close();
  });

  async function signIn(name: string, key: string): Promise<void> {
    const answer = await (brokers[0] as App).request(`${OWN}/sign-in`, {
      method: "POST",
      body: new URLSearchParams({ key }),
      headers: { origin: OWN },
    });
    cookies[name] = answer.headers
      .getSetCookie()
      .map((line) => line.split(";")[0] as string)
      .filter((pair) => !pair.endsWith("="))
      .join("; ");
  }

  function set(changed: ChallengeConfig): void {
    config = changed;
  }
  function pass(ms: number): void {
    now += ms;
  }

  /** Changes of the page that all readers see. */
  const CHANGES: [string, () => Promise<unknown>][] = [
    ["a grade that moves the board", () => grade("ada", 0.9, 0.2)],
    ["a further entry that waits for its grade", () => arrive("bob")],
    ["a participant's first grade", () => grade("fay", 0.4)],
    [
      "a score that a new grade of the same submission changed",
      async () => {
        const row = await here.lockSubmission(here.db as never, await bestOf("cleo"));
        await there.transaction((trx) =>
          writeGrade(trx, config, row as SubmissionRow, { ...OUTCOME, score: 0.8 } as never, date()),
        );
      },
    ],
    ["a profile", () => changeProfile(there, id("ada"), { name: "Ada L.", affiliation: "Lab" }, date())],
    [
      "a picture",
      async () => {
        await announcePicture(here.db, "picture/ada.webp", date());
        await replacePicture(there, id("ada"), "picture/ada.webp", date());
      },
    ],
    ["a profile that was removed", () => clearProfile(there, id("ada"), date())],
    [
      "a member of a team",
      () => there.transaction((trx) => addKey(trx, "participant", id("bob"), iso(), { member: "Bea" })),
    ],
    ["a member that left", () => revokeKeys(there, "participant", "bob", iso(), { member: "Bea" })],
    ["code that was published", async () => change(await bestOf("cleo"), { published_at: iso() })],
    [
      "an image that was made",
      async () =>
        change(await bestOf("cleo"), {
          media_large: `image/large-${"a".repeat(32)}.png`,
          media_thumbnail: `image/thumb-${"b".repeat(32)}.webp`,
          media_content_type: "image/png",
        }),
    ],
    [
      "another name",
      () =>
        there.db
          .updateTable("participants")
          .set({ name: "Dana", name_key: "dana" })
          .where("id", "=", id("dan"))
          .execute(),
    ],
    [
      "a disqualification",
      () => disqualify(there, { name: "ada", challenge: "test", reason: "Two accounts", now: iso() }),
    ],
    ["a reinstatement", () => reinstate(there, { name: "ada", challenge: "test", now: iso() })],
    ["a baseline", async () => markBaseline(there, await bestOf("eve"), { comment: "Mean" })],
    [
      "the movement since the window's start",
      async () => {
        now += 3 * HOUR;
        await grade("fay", 0.95);
        await advanceWindows({ records: there, catalog });
      },
    ],
    ["another title", async () => set(configOf({ title: "Another" }))],
    ["other decimals", async () => set(configOf({ score: { precision: 1 } }))],
    [
      "a board that is hidden",
      async () => set(configOf({ visibility: { leaderboard: false, submissions: false } })),
    ],
    [
      "a board that is shown, without profiles",
      async () => set(configOf({ visibility: { profiles: false } })),
    ],
    ["submissions that all may open", async () => set(configOf({ visibility: { submissions: true } }))],
    ["the time that is left", async () => pass(HOUR)],
    [
      "the end of a round, and its final scores",
      async () => pass(Date.parse("2026-01-20T00:00:00.001Z") - now),
    ],
    ["a round that was extended", async () => set(extended())],
    [
      "the challenge that was closed",
      () =>
        there.db
          .insertInto("closures")
          .values({ challenge: "test", closed_at: iso(), version: 1, shown: 0 })
          .execute(),
    ],
  ];
  const extended = () =>
    configOf({ rounds: [settings.rounds[0], { ...settings.rounds[1], ends_at: "2026-02-20T00:00:00Z" }] });

  it("show each reader their own row, and no one else's", async () => {
    // Their own row is among those that a search finds, or comes first.
    for (const reader of ["ada", "bob", "guest", "ada", "olga", "bob"])
      for (const path of ["", "?find=b", "?find=a", "/leaderboard?find=b"]) {
        const page = await read(brokers[0] as App, reader, path);
        const own = page.match(/<tr[^>]*aria-current="true".*?<\/tr>/gs) ?? [];
        const isRanked = reader === "ada" || reader === "bob";
        expect([own.length, page.match(/>you</g)?.length ?? 0], `${reader}, ${path}`).toEqual(
          isRanked ? [1, 1] : [0, 0],
        );
        if (isRanked) expect(own[0]).toContain(`>${reader}<`);
        expect(page.match(/id="your-row"/g)?.length ?? 0).toBe(isRanked ? 1 : 0);
      }
  });

  it("hold no name, form token or address of another reader", async () => {
    const tokens = new Map<string, string>();
    for (const reader of ["ada", "guest", "olga", "bob", "guest", "ada"]) {
      const query = `?find=x&of=${reader}`;
      const page = await read(brokers[0] as App, reader, query);
      const [token] = /(?<=name="token" value=")[^"]*/.exec(page) ?? [""];
      expect(token === "").toBe(reader === "guest");
      if (tokens.has(reader)) expect(token).toBe(tokens.get(reader));
      tokens.set(reader, token);
      for (const other of ["ada", "bob", "guest", "olga"].filter((name) => name !== reader)) {
        if (tokens.get(other)) expect(page).not.toContain(tokens.get(other));
        expect(page).not.toContain(`of=${other}`);
        expect(page).not.toMatch(new RegExp(`class="name"[^>]*><bdi class="outside">${other}<`));
      }
      if (reader !== "guest") expect(page).toContain(`<bdi class="outside">${reader}</bdi>`);
    }
    expect(new Set(tokens.values()).size).toBe(4);
  });

  it("answer that a page is unchanged only while it is", async () => {
    const ask = (tag = "") =>
      (brokers[1] as App).request(`${OWN}/challenges/test`, {
        headers: { accept: "text/html", cookie: cookies.ada as string, "if-none-match": tag },
      });
    const tag = (await ask()).headers.get("etag") as string;
    expect([(await ask(tag)).status, (await ask(tag)).status]).toEqual([304, 304]);
    await arrive("bob");
    const changed = await ask(tag);
    expect([changed.status, changed.headers.get("etag") === tag]).toEqual([200, false]);
  });

  it.each(CHANGES)("show at once: %s", async (_, make) => {
    for (const app of brokers) for (const reader of ["guest", "ada"]) await read(app, reader, "");
    const before = await read(brokers[0] as App, "guest", "");
    await make();
    await expectCurrent(["guest", "ada"], [""]);
    await expectCurrent(["bob", "olga"], ["/leaderboard"]);
    expect(await read(brokers[0] as App, "guest", "")).not.toBe(before);
  });

  it("are those of a broker that has just started, after any changes", async () => {
    const random = numbers(process.versions.bun === undefined ? 1 : 2);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const anyone = () => pick(NAMES);
    const operations: (() => Promise<unknown>)[] = [
      () => grade(anyone(), Math.round(random() * 20) / 20, random() < 0.5 ? random() : null),
      () => arrive(anyone()),
      () => arrive(anyone(), { dry_run: 1 }),
      async () => {
        const row = await arrive(anyone());
        const failure = { code: "submission_invalid", message: "no", returns: false };
        await here.transaction((trx) => writeFailure(trx, row, failure as never, date()));
      },
      async () => {
        const submission = await bestOf(anyone());
        if (submission) await markBaseline(here, submission, random() < 0.5 ? { comment: "Base" } : null);
      },
      () => disqualify(here, { name: pick(["bob", "cleo"]), challenge: null, reason: "x", now: iso() }),
      () => reinstate(here, { name: pick(["bob", "cleo"]), challenge: null, now: iso() }),
      () => changeProfile(here, id(anyone()), { affiliation: pick(["Lab", "Works", null]) }, date()),
      () => clearProfile(there, id(anyone()), date()),
      () =>
        there.transaction((trx) =>
          addKey(trx, "participant", id(anyone()), iso(), { member: pick(["X", "Y"]) }),
        ),
      () => advanceWindows({ records: here, catalog }),
      async () => pass(pick([1000, HOUR, 30 * HOUR])),
      async () =>
        set(
          configOf({
            score: { precision: pick([1, 3]) },
            visibility: { leaderboard: random() < 0.8, submissions: false },
          }),
        ),
    ];
    for (let turn = 0; turn < 20; turn++) {
      // Without an effect in this state, it is refused.
      await pick(operations)().catch(() => {});
      await expectCurrent([pick(["guest", "ada", "bob", "olga"])], [pick(PATHS), pick(PATHS)]);
    }
  }, 60_000);
}

const OUTCOME = {
  ok: true as const,
  score: 0,
  score_secondary: null,
  message: null,
  meta: {},
  data: null,
  media: null,
  artifacts: [],
  evaluator_version: "1",
};

/** Pseudo-random numbers (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
