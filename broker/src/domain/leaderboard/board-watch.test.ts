import type { BoardMoved } from "@crowdai/shared";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openToyBoards, type ToyBoards, type ToyChallenge } from "../../../test/support/toy-boards.ts";
import { type BoardWatch, type BoardWatcher, createBoardWatch, watcherOf } from "./board-watch.ts";

const SECOND = 1000;
const POLL = 250;
const ADA: BoardWatcher = { name: "participant 1", hasKey: true };

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

describe("a watch of boards", () => {
  let boards: BoardWatch;
  let challenge: ToyChallenge;
  let moves: BoardMoved[];
  const logged: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void logged.push(JSON.parse(line).event) });
  const listener = (moved: BoardMoved) => void moves.push(moved);
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    boards = createBoardWatch({ db: toy.db, log });
    challenge = toy.challenge();
    moves = [];
  });
  afterEach(() => {
    boards.close();
    vi.useRealTimers();
  });

  /** Lets this time pass, with the polls that are due in it. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= POLL) {
      vi.advanceTimersByTime(Math.min(left, POLL));
      // A query outside transactions takes some microtasks only.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const versions = () => moves.map(({ version }) => version);

  it("begins with the versions of the challenge's boards, and reports each later change", async () => {
    await challenge.grade("ada", 1);
    const other = toy.challenge();
    await other.grade("ada", 1);
    const { now } = await boards.watch(challenge.id, ADA, listener);
    expect(now).toEqual([{ challenge: challenge.id, round: "1", version: 1 }]);
    await pass(2 * SECOND);
    expect(moves).toEqual([]);
    await other.grade("bob", 2);
    await challenge.grade("bob", 2);
    await pass(POLL);
    expect(moves).toEqual([{ challenge: challenge.id, round: "1", version: 2 }]);
  });

  it("reports a board as soon as it has its first entry", async () => {
    const { now } = await boards.watch(challenge.id, ADA, listener);
    expect(now).toEqual([]);
    await challenge.grade("ada", 1);
    await pass(POLL);
    expect(versions()).toEqual([1]);
    await pass(2 * SECOND);
    expect(versions()).toEqual([1]);
  });

  it("reports a board at most once a second, and what changed meanwhile afterwards", async () => {
    await challenge.grade("ada", 1);
    await boards.watch(challenge.id, ADA, listener);
    await pass(2 * SECOND);
    await challenge.grade("ada", 2);
    await pass(POLL);
    await challenge.grade("ada", 3);
    await challenge.grade("ada", 4);
    await pass(SECOND - POLL);
    expect(versions()).toEqual([2]);
    await pass(POLL);
    expect(versions()).toEqual([2, 4]);
    await challenge.grade("ada", 5, { round: "2" });
    await pass(POLL);
    expect(moves.at(-1)).toEqual({ challenge: challenge.id, round: "2", version: 1 });
  });

  it("shows a later watcher the versions of the latest poll, and reports to each", async () => {
    await challenge.grade("ada", 1);
    await boards.watch(challenge.id, ADA, listener);
    await pass(2 * SECOND);
    await challenge.grade("ada", 2);
    await pass(POLL);
    const later: number[] = [];
    const select = vi.spyOn(toy.db, "selectFrom");
    const { now } = await boards.watch(challenge.id, ADA, ({ version }) => later.push(version));
    expect(select).not.toHaveBeenCalled();
    select.mockRestore();
    expect(now).toMatchObject([{ version: 2 }]);
    await pass(SECOND);
    await challenge.grade("ada", 3);
    await pass(POLL);
    expect([versions(), later]).toEqual([[2, 3], [3]]);
  });

  it("shares one poll among watchers who come at once", async () => {
    await challenge.grade("ada", 1);
    const select = vi.spyOn(toy.db, "selectFrom");
    const watches = await Promise.all([1, 2, 3].map(() => boards.watch(challenge.id, ADA, listener)));
    expect(select).toHaveBeenCalledTimes(1);
    select.mockRestore();
    for (const { now } of watches) expect(now).toHaveLength(1);
  });

  it("ends once, for its own watcher only", async () => {
    const kept: BoardMoved[] = [];
    const first = await boards.watch(challenge.id, ADA, listener);
    const second = await boards.watch(challenge.id, ADA, (moved) => kept.push(moved));
    expect(boards.watching()).toBe(2);
    first.stop();
    first.stop();
    expect(boards.watching()).toBe(1);
    await challenge.grade("ada", 1);
    await pass(POLL);
    expect([moves.length, kept.length]).toEqual([0, 1]);
    second.stop();
    expect(boards.watching()).toBe(0);
  });

  it("asks the records nothing without watchers, and knows nothing old when one comes again", async () => {
    await challenge.grade("ada", 1);
    const watches = [1, 2].map(() => boards.watch(challenge.id, ADA, (moved) => moves.push(moved)));
    for (const { stop } of await Promise.all(watches)) {
      await pass(POLL);
      stop();
    }
    const select = vi.spyOn(toy.db, "selectFrom");
    await pass(SECOND);
    expect(select).not.toHaveBeenCalled();
    await challenge.grade("ada", 2);
    select.mockClear();
    const { now } = await boards.watch(challenge.id, ADA, listener);
    expect(now).toMatchObject([{ version: 2 }]);
    await pass(POLL);
    expect(select).toHaveBeenCalledTimes(2);
    select.mockRestore();
    expect(moves).toEqual([]);
    await pass(SECOND);
    await challenge.grade("ada", 3);
    await pass(POLL);
    expect(versions()).toEqual([3]);
  });

  it("of another challenge goes on when one ends", async () => {
    const other = toy.challenge();
    const { stop } = await boards.watch(challenge.id, ADA, listener);
    await boards.watch(other.id, ADA, listener);
    stop();
    await challenge.grade("bob", 1);
    await other.grade("ada", 1);
    await pass(POLL);
    expect(moves).toMatchObject([{ challenge: other.id }]);
    await boards.watch(challenge.id, ADA, listener);
    await pass(SECOND);
    await challenge.grade("ada", 1);
    await pass(POLL);
    expect(moves.map((moved) => moved.challenge)).toEqual([other.id, challenge.id]);
  });

  it("is refused while the records cannot be read, and not counted; later polls are tried again", async () => {
    const away = () => {
      throw new Error("away");
    };
    const select = vi.spyOn(toy.db, "selectFrom").mockImplementation(away);
    await expect(boards.watch(challenge.id, ADA, listener)).rejects.toThrow("away");
    expect(boards.watching()).toBe(0);
    select.mockRestore();
    await boards.watch(challenge.id, ADA, listener);
    const again = vi.spyOn(toy.db, "selectFrom").mockImplementation(away);
    logged.length = 0;
    await pass(POLL);
    expect(logged).toEqual(["board_poll_failed"]);
    again.mockRestore();
    await challenge.grade("ada", 1);
    await pass(POLL);
    expect(versions()).toEqual([1]);
  });

  it("reports nothing of a poll during which it is closed", async () => {
    await boards.watch(challenge.id, ADA, listener);
    await challenge.grade("ada", 1);
    vi.advanceTimersByTime(POLL);
    boards.close();
    await pass(POLL);
    expect(moves).toEqual([]);
  });

  it("reports nothing after the broker has closed it, and asks nothing more", async () => {
    await boards.watch(challenge.id, ADA, listener);
    boards.close();
    await challenge.grade("ada", 1);
    const select = vi.spyOn(toy.db, "selectFrom");
    await pass(SECOND);
    expect(select).not.toHaveBeenCalled();
    select.mockRestore();
    expect(moves).toEqual([]);
  });

  it("may be had 200 times with a key, and 1,000 times from an address", async () => {
    for (const [watcher, most, what] of [
      [ADA, 200, "key"],
      [{ name: "192.0.2.7", hasKey: false }, 1000, "address"],
    ] as const) {
      const watch = () => boards.watch(challenge.id, watcher, () => {});
      const last = (await Promise.all(Array.from({ length: most }, watch))).at(-1)!;
      await expect(watch()).rejects.toMatchObject({
        code: "too_many_requests",
        message: `Your ${what} watches too many leaderboards.`,
        next: "Close some of these connections.",
      });
      last.stop();
      await watch();
    }
    expect(boards.watching()).toBe(1200);
  });

  it("may be had 20,000 times in all", async () => {
    const watch = (client: number) =>
      boards.watch(challenge.id, { name: `${client}`, hasKey: true }, () => {});
    const watches = await Promise.all(Array.from({ length: 20_000 }, (_, i) => watch(i % 101)));
    await expect(watch(200)).rejects.toMatchObject({
      code: "too_many_requests",
      message: "Too many clients are watching leaderboards on this broker.",
    });
    watches[0]!.stop();
    await watch(200);
  });
});

describe("a watcher", () => {
  it("is named by its key, or by its address or network without one", () => {
    expect(watcherOf({ kind: "participant", id: 7 }, "192.0.2.7")).toEqual({
      name: "participant 7",
      hasKey: true,
    });
    expect(watcherOf(null, "192.0.2.7")).toEqual({ name: "192.0.2.7", hasKey: false });
    const [one, other] = ["2001:db8::1", "2001:db8::2"].map((address) => watcherOf(null, address));
    expect(one).toEqual(other);
  });
});
