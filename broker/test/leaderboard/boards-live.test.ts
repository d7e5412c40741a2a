import { join } from "node:path";
import type { BoardMoved, Leaderboard } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { createBoardWatch } from "../../src/domain/leaderboard/board-watch.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { uninvite } from "../../src/domain/participants/invitations.ts";
import { startBroker, type TestBroker, untilEnd, writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const SECRET = { visibility: { leaderboard: false } };
const PRIVATE = { visibility: { private: true, submissions: true } };
const OPEN = { visibility: { submissions: true } };
const ended = { rounds: [{ id: "1", ends_at: "2020-01-01T00:00:00Z" }], after_end: "accept" };
const BOARD = "/api/v1/challenges/test/leaderboard";
const LIST = "/api/v1/challenges/test/submissions";

let test: TestBroker;
afterEach(() => test?.close());

async function grade(key: string, score: number): Promise<string> {
  const client = await test.connect({ key });
  const { submission } = await client.submit({
    input: { kind: "inline", data: { score, message: "looks good" } },
    message: "secret recipe",
  });
  await untilEnd(client, submission.id);
  client.socket.disconnect();
  return submission.id;
}

async function invite(name: string): Promise<void> {
  const { db } = test.records;
  const { id } = await db
    .selectFrom("participants")
    .select("id")
    .where("name", "=", name)
    .executeTakeFirstOrThrow();
  const created_at = new Date().toISOString();
  await db.insertInto("invitations").values({ challenge: "test", participant_id: id, created_at }).execute();
}

const organizer = (challenges: string[]) =>
  addOrganizer(test.records, challenges.join("-"), challenges, new Date().toISOString());
const status = async (path: string, key: string | null) => (await test.fetch(path, { key })).status;
const names = async (path: string, key: string | null) => {
  const answer = (await (await test.fetch(path, { key })).json()) as {
    rows?: { participant: string }[];
    submissions?: { participant: string }[];
  };
  return (answer.rows ?? answer.submissions)?.map(({ participant }) => participant);
};

describe("a leaderboard", () => {
  it("is visible to its challenge's organizer only while it is not displayed", async () => {
    test = await startBroker({ challenges: [SECRET] });
    await grade(test.key, 1);
    expect(await status(BOARD, null)).toBe(403);
    expect(await status(BOARD, test.key)).toBe(403);
    expect(await status(BOARD, await organizer(["another"]))).toBe(403);
    expect(await names(BOARD, await organizer(["test"]))).toEqual(["ada"]);
    expect(await status("/challenges/test/leaderboard/events", null)).toBe(403);
  });

  it("of a private challenge is visible to invited participants; a former one sees their own row", async () => {
    test = await startBroker({ challenges: [PRIVATE] });
    await invite("ada");
    const bob = await test.addParticipant("bob");
    await invite("bob");
    await grade(test.key, 1);
    await grade(bob, 2);
    await test.records.db.deleteFrom("invitations").where("participant_id", "=", 1).execute();
    expect(await status(BOARD, null)).toBe(404);
    expect(await names(BOARD, bob)).toEqual(["bob", "ada"]);
    const own = (await (await test.fetch(BOARD)).json()) as Leaderboard;
    expect(own).toMatchObject({ total: 1, rows: [{ rank: 2, participant: "ada", you: true }] });
    expect(await status(BOARD, await test.addParticipant("eve"))).toBe(404);
  });
});

describe("a list of submissions", () => {
  it("is visible to everyone where leaderboard and submissions are shown, without inputs and messages", async () => {
    test = await startBroker({ challenges: [OPEN] });
    const id = await grade(test.key, 0.98765);
    const text = await (await test.fetch(LIST, { key: null })).text();
    expect(JSON.parse(text).submissions).toMatchObject([
      { id, participant: "ada", state: "graded", score: 0.988, you: false },
    ]);
    for (const hidden of ["secret recipe", "looks good", "sha256", "input", "message"])
      expect(text).not.toContain(hidden);
  });

  it("otherwise contains only the participant's own submissions, or all for the organizer", async () => {
    test = await startBroker({});
    const bob = await test.addParticipant("bob");
    await grade(test.key, 1);
    await grade(bob, 2);
    expect(await status(LIST, null)).toBe(403);
    expect(await names(LIST, bob)).toEqual(["bob"]);
    expect(await names(LIST, await organizer(["test"]))).toEqual(["bob", "ada"]);
    expect(await names(`${LIST}?limit=1&before=2`, await organizer(["test", "x"]))).toEqual(["ada"]);
  });

  it("of a private challenge is visible to invited participants once the challenge has ended", async () => {
    for (const [rounds, seen] of [
      [{}, ["bob"]],
      [ended, ["bob", "ada"]],
    ] as const) {
      test = await startBroker({ challenges: [{ ...PRIVATE, ...rounds }] });
      await invite("ada");
      const bob = await test.addParticipant("bob");
      await invite("bob");
      await grade(test.key, 1);
      await grade(bob, 2);
      expect(await names(LIST, bob)).toEqual(seen);
      await test.close();
    }
    test = await startBroker({});
  });
});

describe("a watcher of a board", () => {
  it("receives the current version and every change as server-sent events", async () => {
    test = await startBroker({});
    await grade(test.key, 1);
    const ending = new AbortController();
    const answer = await fetch(`${test.broker.url}/challenges/test/leaderboard/events`, {
      signal: ending.signal,
    });
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    const moves = readMoves(answer);
    const first = (await moves.next()).value as BoardMoved;
    expect(first).toMatchObject({ challenge: "test", round: "1" });
    const board = (await (await test.fetch(BOARD)).json()) as Leaderboard;
    expect(board.version).toBe(first.version);
    await grade(await test.addParticipant("bob"), 2);
    expect((await moves.next()).value?.version).toBeGreaterThan(first.version);
    ending.abort();
  });

  it("receives changes over a socket", async () => {
    test = await startBroker({});
    const watcher = await test.connect();
    const moved = new Promise<BoardMoved>((resolve) => watcher.socket.once("leaderboard", resolve));
    await grade(test.key, 1);
    expect(await watcher.ask("watch_board", { challenge: "test" })).toMatchObject({
      boards: [{ challenge: "test", round: "1" }],
    });
    await grade(test.key, 2);
    expect(await moved).toMatchObject({ challenge: "test", round: "1" });
  });

  it("receives nothing over a socket once the invitation is withdrawn, until it is invited again", async () => {
    test = await startBroker({ challenges: [PRIVATE] });
    await invite("ada");
    const bobKey = await test.addParticipant("bob");
    await invite("bob");
    await grade(test.key, 1);
    const [ada, bob] = [await test.connect(), await test.connect({ key: bobKey })];
    const seen = { ada: 0, bob: 0 };
    ada.socket.on("leaderboard", () => seen.ada++);
    bob.socket.on("leaderboard", () => seen.bob++);
    for (const client of [ada, bob]) await client.ask("watch_board", { challenge: "test" });
    await grade(test.key, 2);
    await until(async () => seen.ada === 1 && seen.bob === 1);

    await uninvite(test.records, "bob", ["test"]);
    await grade(test.key, 3);
    await until(async () => seen.ada === 2);
    await expect(bob.ask("watch_board", { challenge: "test" })).rejects.toMatchObject({
      code: "challenge_unknown",
    });
    expect(seen.bob).toBe(1);

    await invite("bob");
    await bob.ask("watch_board", { challenge: "test" });
    await grade(test.key, 4);
    await until(async () => seen.ada === 3 && seen.bob === 2);
  });

  it("receives no server-sent events once the organizer hides the board", async () => {
    test = await startBroker({});
    await grade(test.key, 1);
    const answer = await fetch(`${test.broker.url}/challenges/test/leaderboard/events`);
    const moves = readMoves(answer);
    await moves.next();
    await writeChallenge(join(test.folder, "challenges"), SECRET);
    await until(async () => (await status(BOARD, null)) === 403);
    await grade(test.key, 2);
    expect(await moves.next()).toEqual({ done: true, value: undefined });
  });

  it.each([
    ["key", 200, { name: "participant 1", hasKey: true }],
    ["address", 1000, { name: "192.0.2.1", hasKey: false }],
  ] as const)("with one %s may watch %i boards at once", async (named, most, watcher) => {
    test = await startBroker({ withGrader: false });
    const boards = createBoardWatch({ db: test.records.db, log: undefined as never });
    const watches = [];
    for (let count = 0; count < most; count++) watches.push(await boards.watch("test", watcher, () => {}));
    const more = () => boards.watch("test", watcher, () => {});
    await expect(more()).rejects.toMatchObject({
      code: "too_many_requests",
      message: `Your ${named} watches too many leaderboards.`,
    });
    await boards.watch("test", { ...watcher, name: "another" }, () => {});
    watches[0]!.stop();
    await more();
    boards.close();
  });

  it("costs no query of its own, even as one of ten thousand, and none after it stops", async () => {
    test = await startBroker({ withGrader: false });
    let queries = 0;
    const { db } = test.records;
    const counting = {
      selectFrom(table: "board_rounds") {
        queries++;
        return db.selectFrom(table);
      },
    } as typeof db;
    await db
      .insertInto("board_rounds")
      .values({ challenge: "test", round: "1", version: 1, border: null })
      .execute();
    const boards = createBoardWatch({ db: counting, log: undefined as never });
    let told = 0;
    const watches = await Promise.all(
      Array.from({ length: 10_000 }, (_, index) =>
        boards.watch("test", { name: String(index), hasKey: true }, () => told++),
      ),
    );
    await db.updateTable("board_rounds").set({ version: 2 }).execute();
    await until(async () => told === 10_000);
    expect(queries).toBeLessThan(100);
    for (const { stop } of watches) stop();
    expect(boards.watching()).toBe(0);
    boards.close();
  });
});

async function* readMoves(answer: Response): AsyncGenerator<BoardMoved, undefined> {
  let text = "";
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = text.slice(0, end).match(/^data: ?(.*)$/m)?.[1];
      text = text.slice(end + 2);
      if (data) yield JSON.parse(data) as BoardMoved;
    }
  }
}
