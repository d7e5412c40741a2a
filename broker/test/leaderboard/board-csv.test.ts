import { setImmediate } from "node:timers/promises";
import type { Leaderboard } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { readBoardCsv } from "../../src/domain/leaderboard/board-csv.ts";
import { rebuildStandings } from "../../src/domain/leaderboard/rebuild-standings.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { createPageClient } from "../pages/page-client.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

const PEOPLE = 1100;
const API = "/api/v1/challenges/test/leaderboard.csv";
const PAGE = "/challenges/test/leaderboard.csv";
const SPECIAL: Record<string, string> = {
  p3: '=HYPERLINK("http://x","y")',
  p4: 'Jürgen, "das Team"',
  p5: "@all",
};

const CONFIG = challengeConfigSchema.parse({
  id: "test",
  title: "Test",
  score: { title: "Score", order: "descending", precision: 3 },
  evaluator: { command: ["python3", "evaluate.py"] },
});

describe("a board as CSV", () => {
  let test: TestBroker;
  let organizer: string;
  beforeAll(async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [
        {
          columns: [{ key: "f1", title: "F1", precision: 2 }],
          rounds: [
            { id: "1", ends_at: "2025-02-01T00:00:00Z" },
            { id: "2", starts_at: "2025-02-01T00:00:00Z" },
          ],
        },
        { id: "secret", visibility: { private: true } },
        { id: "withheld", visibility: { leaderboard: false } },
      ],
    });
    organizer = await addOrganizer(test.records, "org", ["secret", "withheld"], "2025-01-01T00:00:00Z");
    await seed(test);
  });
  afterAll(() => test?.close());

  const read = async (path: string, key: string | null = null) => {
    const answer = await test.fetch(path, { key });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const rowsOf = (text: string): Record<string, string>[] => parse(text, { columns: true });

  it("has a row for each of many participants, in order, under a name that is safe", async () => {
    const { status, headers, text } = await read(API);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(headers.get("content-disposition")).toBe('attachment; filename="test-2-current.csv"');
    expect(headers.get("cache-control")).toBe("private, no-cache");
    expect(text.split("\r\n")).toHaveLength(PEOPLE + 2);
    const rows = rowsOf(text);
    expect(rows.map(({ rank }) => Number(rank))).toEqual(rows.map((_, i) => i + 1));
    expect(new Set(rows.map(({ submission }) => submission)).size).toBe(PEOPLE);
    const { rows: shown } = (await (
      await test.fetch("/api/v1/challenges/test/leaderboard?limit=1000")
    ).json()) as Leaderboard;
    for (const [i, row] of shown.entries())
      expect([rows[i]?.submission, rows[i]?.score]).toEqual([row.submission, String(row.score)]);
    expect(rows[0]).toMatchObject({
      round: "2",
      rank: "1",
      participant: "p0",
      "data.f1": "0.5",
      entries: "1",
    });
  });

  it("quotes names, and shows none of them to a spreadsheet as a formula", async () => {
    const { text } = await read(API);
    expect(text).toContain(',"\'=HYPERLINK(""http://x"",""y"")",');
    expect(text).toContain(",'@all,");
    expect(rowsOf(text)[4]?.participant).toBe(SPECIAL.p4);
  });

  it("is the same on the page, which links to it for the selected round", async () => {
    expect((await read(PAGE)).text).toBe((await read(API)).text);
    const html = await (await createPageClient(test).get("/challenges/test?round=1")).text();
    expect(html).toContain(`href="${PAGE}?round=1">Download as CSV</a>`);
    const first = await read(`${PAGE}?round=1`);
    expect(rowsOf(first.text).map(({ participant }) => participant)).toEqual(["ada"]);
    expect(first.headers.get("content-disposition")).toContain("test-1-current.csv");
    expect((await read(`${API}?round=9`)).status).toBe(404);
    expect((await read(`${API}?board=final`)).status).toBe(400);
  });

  it("is for readers of the board: not of a private challenge, nor of a board that is not displayed", async () => {
    for (const [challenge, status] of [
      ["secret", 404],
      ["withheld", 403],
      ["none", 404],
    ] as const)
      for (const path of [`/api/v1/challenges/${challenge}`, `/challenges/${challenge}`])
        expect([path, (await read(`${path}/leaderboard.csv`, null)).status]).toEqual([path, status]);
    const page = createPageClient(test);
    await page.signIn(organizer);
    for (const challenge of ["secret", "withheld"]) {
      expect((await read(`/api/v1/challenges/${challenge}/leaderboard.csv`, organizer)).status).toBe(200);
      expect((await page.get(`/challenges/${challenge}/leaderboard.csv`)).status).toBe(200);
    }
  });

  it("is one moment's, also while the board changes", async () => {
    const { db } = test.records;
    let isRead = false;
    const reading = readBoardCsv(db, CONFIG, {
      round: "2",
      board: "current",
      viewer: null,
      now: new Date(),
    }).finally(() => {
      isRead = true;
    });
    // The last becomes the first, and back.
    for (let score = 2; !isRead; score = -score) {
      await db.updateTable("submissions").set({ sort_primary: -score }).where("id", "=", "s1099").execute();
      await test.records.transaction((trx) => rebuildStandings(trx, "test"));
      await setImmediate();
    }
    expect(new Set(rowsOf(await reading).map(({ submission }) => submission)).size).toBe(PEOPLE);
  });

  it("is printed by the command line, whole", async () => {
    await using home = await temporaryFolder();
    const run = (...args: string[]) =>
      runCli(["leaderboard", "test", ...args], {
        cwd: home.path,
        env: { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key },
      });
    const { stdout, code } = await run("--format", "csv");
    expect(code).toBe(0);
    expect(stdout).toBe((await read(API)).text.replaceAll("\r\n", "\n"));
    expect(rowsOf((await run("--format", "csv", "--round", "1")).stdout)).toHaveLength(1);
    expect(await run("--format", "csv", "--limit", "5")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--format csv prints the whole leaderboard"),
    });
  });
});

/** Writes a round of many participants as records. */
async function seed({ records }: TestBroker): Promise<void> {
  const created_at = "2025-01-01T00:00:00.000Z";
  await records.transaction(async (trx) => {
    const names = Array.from({ length: PEOPLE }, (_, i) => SPECIAL[`p${i}`] ?? `p${i}`);
    for (let i = 0; i < names.length; i += 100) {
      const people = await trx
        .insertInto("participants")
        .values(names.slice(i, i + 100).map((name) => ({ name, name_key: name.toLowerCase(), created_at })))
        .returning("id")
        .execute();
      await trx
        .insertInto("submissions")
        .values(people.map(({ id }, n) => submission(`s${i + n}`, id, 1 - (i + n) / 10_000, "2")))
        .execute();
    }
    const ada = await trx
      .selectFrom("participants")
      .select("id")
      .where("name", "=", "ada")
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("submissions")
      .values(submission("first", ada.id, 0.1, "1"))
      .execute();
    await rebuildStandings(trx, "test");
  });
}

const submission = (id: string, participant_id: number, score: number, round: string) => ({
  ...{ id, participant_id, round, score, challenge: "test", function: "submit", state: "graded" as const },
  ...{ dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_size: 1, input_sha256: "" },
  ...{ created_at: "2025-02-02T00:00:00.000Z", attempt: 1, starts: 1, seq: 1 },
  ...{ sort_primary: -score, sort_secondary: 0, data: '{"f1":0.5}' },
});
