import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Leaderboard, Submission } from "@crowdai/shared";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listRoutes } from "../hostile-requests/every-route.ts";
import { createPageClient } from "../pages/page-client.ts";
import { runCommand } from "../support/run-command.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const ADMIN_KEY = "admin-key-of-the-webapp-api-0123456789";
const END = "2026-03-01T00:00:00Z";
const BOARD = "/api/v1/challenges/test/leaderboard";
/** Recognizable final scores, also when they are rounded. */
const CANARY = /7314159|0\.731|2718281|0\.272|6626070|0\.663/;
const CONFIG = {
  rounds: [{ id: "1", ends_at: END }],
  visibility: { submissions: true },
  columns: [{ key: "f1", title: "F1", precision: 2 }],
  final: { select: 2 },
};

describe("final scores", () => {
  let test: TestBroker;
  let bob: string;
  let now = Date.parse("2026-02-01T00:00:00Z");
  const received: string[] = [];
  const logged: string[] = [];
  /** In the order of submission: ada's first, second and third, then bob's. */
  let ids: string[];
  beforeAll(async () => {
    test = await startBroker({
      challenges: [CONFIG, { ...CONFIG, id: "endless", rounds: [{ id: "1" }], final: undefined }],
      clock: () => new Date(now),
      env: { WEBAPP_TOKEN: ADMIN_KEY },
      log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
    });
    bob = await test.addParticipant("bob");
    ids = [
      await submit(test.key, { score: 0.9, final: 0.2718281, data: { f1: 0.812, note: "x" } }),
      await submit(test.key, { score: 0.8, final: 0.662607, data: { f1: "high" } }),
      await submit(test.key, { score: 0.1, final: 0.99 }),
      await submit(bob, { score: 0.5, final: 0.7314159, data: { f1: 0.5 } }),
    ];
  });
  afterAll(() => test?.close());

  async function submit(key: string, data: Record<string, unknown>, challenge = "test"): Promise<string> {
    const client = await test.connect({ key, challenge });
    client.socket.onAny((...packet: unknown[]) => received.push(JSON.stringify(packet)));
    await client.ask("watch_board", { challenge });
    const answer = await client.submit({ challenge, input: { kind: "inline", data } });
    received.push(JSON.stringify([answer, await untilEnd(client, answer.submission.id)]));
    client.socket.disconnect();
    return answer.submission.id;
  }
  const show = async (id: string, key: string | null = test.key) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const readBoard = async (path = BOARD) => (await (await test.fetch(path)).json()) as Leaderboard;
  const rows = async (path = BOARD) =>
    (await readBoard(path)).rows.map((row) => [row.rank, row.participant, row.score, row.rank_before]);
  const choose = async (id: string, verb: "select" | "unselect" = "select", key = test.key) => {
    const answer = await test.fetch(`/api/v1/submissions/${id}/${verb}`, { key, method: "POST", body: {} });
    const body = (await answer.json()) as Submission & { error?: { code: string; message: string } };
    return body.error ?? body;
  };
  const command = (...args: string[]) =>
    runCommand(test.folder, [...args, "--data", join(test.folder, "data")]);

  /**
   * Fetches every address that the broker has, as everyone who may read it. Returns what contains a final
   * score.
   */
  async function leaks(): Promise<string[]> {
    const page = createPageClient(test);
    await page.signIn(test.key);
    const cookie = [...page.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const readers: Record<string, string>[] = [
      {},
      { cookie },
      ...[test.key, bob, ADMIN_KEY].map((key) => ({ authorization: `Bearer ${key}` })),
    ];
    const paths = listRoutes()
      .filter(({ method }) => method === "GET" || method === "ALL")
      .flatMap(({ path }) => addresses(path));
    const found: string[] = [];
    for (const path of new Set(paths))
      await Promise.all(
        readers.map(async (headers) => {
          const text = await read(path, headers);
          if (CANARY.test(text)) found.push(`${path} ${Object.keys(headers)}`);
        }),
      );
    return found;
  }

  const addresses = (path: string): string[] =>
    (/challenge/.test(path) ? ["test", "1"] : [ids[0]!, ids[3]!, "1"])
      .map((id) =>
        path.replaceAll(/:(name|file)\b[^/]*/g, "x").replaceAll(/:[a-z_]+(\{[^}]*\})?|\{[a-z_]+\}/gi, id),
      )
      .concat(path === "/submissions" ? ["/submissions?challenge=test"] : []);

  async function read(path: string, headers: Record<string, string>): Promise<string> {
    const answer = await fetch(test.broker.url + path, { headers, redirect: "manual" });
    const shown = JSON.stringify([...answer.headers]);
    if (!answer.headers.get("content-type")?.startsWith("text/event-stream"))
      return shown + (await answer.text());
    // A stream begins with what has happened, and does not end.
    const reader = answer.body!.getReader();
    const first = await Promise.race([
      reader.read(),
      new Promise<null>((done) => setTimeout(done, 50, null)),
    ]);
    await reader.cancel();
    return shown + (first?.value ? Buffer.from(first.value).toString("utf8") : "");
  }

  it("are not in anything that a participant, a visitor, the webapp or a log can show while the round runs", async () => {
    await submit(test.key, { score: 0.3, final: "0.7314159" });
    await submit(test.key, { score: 0.3, final: { mean: 0.7314159 } });
    expect(await leaks()).toEqual([]);
    expect(received.filter((text) => CANARY.test(text))).toEqual([]);
    expect(logged.filter((text) => CANARY.test(text))).toEqual([]);
    const log = await command("submission", "log", ids[3]!);
    expect(log.stdout).toContain("score 0.5");
    expect(log.stdout).not.toMatch(CANARY);
    expect((await command("submission", "log", ids[3]!, "--final")).stdout).toContain(
      "score 0.5, final score 0.7314159",
    );
    // The order is that of the public scores.
    expect(await rows()).toEqual([
      [1, "ada", 0.9, null],
      [2, "bob", 0.5, null],
    ]);
    expect(await readBoard()).toMatchObject({ final: false });
  }, 240_000);

  it("leave the columns of the board as public as they are", async () => {
    const { columns, rows } = await readBoard();
    expect(columns).toEqual([{ key: "f1", title: "F1", order: "descending", precision: 2 }]);
    expect(rows.map((row) => row.columns)).toEqual([{ f1: 0.812 }, { f1: 0.5 }]);
    expect((await show(ids[1]!)).columns).toEqual({ f1: null });
    const html = await (await createPageClient(test).get("/challenges/test")).text();
    expect(html).toMatch(/F1[\s\S]*0\.81[\s\S]*0\.50/);
    expect(html).toContain(">Best score over time<");
  });

  it("are for submissions that their participant selects, up to the challenge's number, by API and page", async () => {
    const { version } = await readBoard();
    expect(await choose(ids[2]!)).toMatchObject({ id: ids[2], selected: true, score_final: null });
    expect(await choose(ids[2]!)).toMatchObject({ selected: true });
    const page = createPageClient(test);
    await page.signIn(test.key);
    const path = `/submissions/${ids[0]}`;
    expect(await (await page.get(path)).text()).toContain("Select for the final ranking");
    expect((await page.post(`${path}/select`, { token: "forged" })).status).toBe(403);
    expect((await page.post(`${path}/select`, { token: await page.token(path) })).status).toBe(303);
    expect(await show(ids[0]!)).toMatchObject({ selected: true });
    expect(await (await page.get(path)).text()).toContain("Remove from the selection");
    expect(await choose(ids[1]!)).toMatchObject({
      code: "selection_full",
      message: `You have selected ${[ids[0], ids[2]].sort().join(" and ")} for round "1" of test, which allows 2.`,
    });
    expect(await choose(ids[0]!, "unselect")).toMatchObject({ selected: false });
    // Others do not see what is selected, and nothing that they see has changed.
    expect(await show(ids[2]!, bob)).toMatchObject({ selected: false });
    expect((await readBoard()).version).toBe(version);
  });

  it("are not for submissions of others, failed ones, and those that count on no board", async () => {
    expect(await choose(ids[3]!)).toMatchObject({ code: "submission_unknown" });
    const failed = await submit(test.key, { reject: "no" });
    expect(await choose(failed)).toMatchObject({
      code: "not_selectable",
      message: `${failed} cannot be selected: it failed.`,
    });
    const without = await submit(test.key, { score: 1 }, "endless");
    expect(await choose(without)).toMatchObject({ code: "not_selectable" });
  });

  it("decide the board once the round has ended, with the ranks of before, and the selection is closed", async () => {
    const { version } = await readBoard();
    now = Date.parse(END) + 1;
    // Of ada's submissions only the selected one counts, which was her worst.
    expect(await rows()).toEqual([
      [1, "ada", 0.99, 1],
      [2, "bob", 0.731, 2],
    ]);
    expect(await readBoard()).toMatchObject({
      final: true,
      rows: [
        { submission: ids[2], score_public: 0.9, columns: { f1: null } },
        { score_public: 0.5, columns: { f1: 0.5 } },
      ],
    });
    expect(await show(ids[0]!)).toMatchObject({ score_final: 0.2718281, standing: { rank: 1, best: false } });
    expect(await show(ids[2]!)).toMatchObject({ score_final: 0.99, standing: { rank: 1, best: true } });
    expect(await choose(ids[0]!)).toMatchObject({ code: "selection_closed" });
    expect(await choose(ids[2]!, "unselect")).toMatchObject({ code: "selection_closed" });
    // Clients that watch the board receive the new version.
    await until(async () => (await readBoard()).version > version);
    expect(await (await test.fetch(BOARD)).text()).toMatch(CANARY);
    const page = createPageClient(test);
    await page.signIn(test.key);
    for (const path of ["/", "/submissions?challenge=test"])
      expect(await (await page.get(path)).text()).toContain("0.990");
    const html = await (await createPageClient(test).get("/challenges/test")).text();
    expect(html).toMatch(/final ranking[\s\S]*0\.990[\s\S]*0\.731/);
    // The chart is of the public scores, and says so.
    expect(html).toMatch(/Best public score over time[\s\S]*0\.900[\s\S]*shows the final scores/);
  });

  it("are hidden again when the round is extended", async () => {
    const extended = { ...CONFIG, rounds: [{ id: "1", ends_at: "2027-01-01T00:00:00Z" }] };
    await writeChallenge(join(test.folder, "challenges"), extended);
    await until(async () => !(await readBoard()).final);
    expect((await show(ids[2]!)).score_final).toBeNull();
  });

  it("of a round without an end are shown once the challenge is closed, for the best public submissions", async () => {
    const board = "/api/v1/challenges/endless/leaderboard";
    await submit(bob, { score: 3, final: 1 }, "endless");
    await submit(bob, { score: 2, final: 9 }, "endless");
    await submit(bob, { score: 1, final: 99 }, "endless");
    const ada = await submit(test.key, { score: 0.5, final: 5 }, "endless");
    expect(await choose(ada)).toMatchObject({ selected: true });
    expect((await rows(board)).map((row) => row.slice(0, 3))).toEqual([
      [1, "bob", 3],
      [2, "ada", 1],
    ]);
    await test.records.db
      .insertInto("closures")
      .values({ challenge: "endless", closed_at: new Date(now).toISOString(), version: 0, shown: 0 })
      .execute();
    expect(await rows(board)).toEqual([
      [1, "bob", 9, 1],
      [2, "ada", 5, 2],
    ]);
  });

  it("are replaced by a regrade, which ranks an ended round again", async () => {
    const evaluator = join(test.folder, "challenges", "endless", "evaluate.py");
    const text = await readFile(evaluator, "utf8");
    await writeFile(
      evaluator,
      text.replace('given["final"]}', 'given["final"] * (100 if given["score"] < 1 else 1)}'),
    );
    const folder = join(test.folder, "challenges");
    // The grader still has the earlier version for a moment.
    const regraded = await until(async () => {
      await command("challenge", "regrade", "endless", "--challenges", folder);
      const [first, ...others] = await rows("/api/v1/challenges/endless/leaderboard");
      return first?.[1] === "ada" && [first, ...others];
    });
    expect(regraded.map((row) => row.slice(0, 3))).toEqual([
      [1, "ada", 500],
      [2, "bob", 9],
    ]);
  });

  it("of a round without an end are a notice of challenge check", async () => {
    const folder = await writeChallenge(join(test.folder, "drafts"), { final: {} });
    expect(await runCommand(test.folder, ["challenge", "check", folder])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        'note: round "1" has no end, so its final scores stay hidden until `crowdai-broker challenge close test`.\n',
      ),
    });
  });
});
