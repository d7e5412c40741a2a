import type { PublicChallenge, Round } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { checkFunction, checkInput, checkRound } from "./checks.ts";

const round = (id: string, number: number, state: Round["state"]): Round => ({
  id,
  number,
  title: id,
  state,
  starts_at: "2026-01-01T00:00:00Z",
  ends_at: "2026-02-01T00:00:00Z",
  limit: null,
  parallel_limit: null,
  minimum_score: null,
});
const challenge = (changes: object = {}) =>
  ({
    id: "iris",
    accepts: {
      file: { extensions: [".csv", ".tar.gz"], max_bytes: 10 },
      json: { schema: { type: "array" }, max_bytes: 10 },
      code: null,
    },
    rounds: [round("warm-up", 1, "ended"), round("main", 2, "open"), round("final", 3, "upcoming")],
    round: "main",
    after_end: "reject",
    functions: ["submit", "evaluate", "explain"],
    ...changes,
  }) as PublicChallenge;
const code = (code: string) => expect.objectContaining({ code });
const file = (name: string, size = 1) => ({ kind: "file" as const, name, size });
const json = (value: unknown, size = 1) => ({ kind: "json" as const, name: null, value, size });

describe("an input", () => {
  it.each(["p.csv", "P.CSV", "p.tar.gz", "-.csv", "a\nb.csv"])(
    "named %j is taken by its extension",
    (name) => {
      expect(checkInput(challenge(), file(name))).toHaveLength(2);
    },
  );
  it.each(["p.gz", "csv", "p.csv.txt", ".csv "])("named %j is refused, naming what is taken", (name) => {
    expect(() => checkInput(challenge(), file(name))).toThrow(".csv, .tar.gz");
  });
  it("of any name is taken where none is asked for", () => {
    const any = challenge({ accepts: { file: { extensions: [], max_bytes: 10 }, json: null, code: null } });
    checkInput(any, file("whatever"));
  });
  it("may have exactly the size that is allowed, and no byte more", () => {
    checkInput(challenge(), file("p.csv", 10));
    expect(() => checkInput(challenge(), file("p.csv", 11))).toThrow(code("file_too_large"));
    checkInput(challenge(), json([], 10));
    expect(() => checkInput(challenge(), json([], 11))).toThrow(code("value_too_large"));
  });
  it("of a kind that is not taken is refused", () => {
    const none = challenge({ accepts: { file: null, json: null, code: null } });
    expect(() => checkInput(none, file("p.csv"))).toThrow(code("kind_not_accepted"));
    expect(() => checkInput(none, json([]))).toThrow(code("kind_not_accepted"));
  });
  it("that does not fit the schema is refused naming path and rule", () => {
    expect(() => checkInput(challenge(), json({}))).toThrow(/\$.*type/s);
  });
});

describe("a round", () => {
  it("is the open one, or one named by id or number", () => {
    expect(checkRound(challenge(), undefined)?.id).toBe("main");
    expect(checkRound(challenge(), "main")?.id).toBe("main");
    expect(checkRound(challenge(), "2")?.id).toBe("main");
  });
  it("that is not there is told with those that are", () => {
    expect(() => checkRound(challenge(), "9")).toThrow('"warm-up", "main", "final"');
  });
  it("is told with its end when the last one is over", () => {
    const over = challenge({ rounds: [round("warm-up", 1, "ended")], round: null });
    expect(() => checkRound(over, undefined)).toThrow('"warm-up" ended at 2026-02-01');
  });
  it("that has ended or not begun is refused with its date", () => {
    expect(() => checkRound(challenge(), "warm-up")).toThrow("ended at 2026-02-01");
    expect(() => checkRound(challenge(), "final")).toThrow("opens at 2026-01-01");
  });
  it("must be open, unless late submissions are taken", () => {
    const closed = { round: null, rounds: [round("main", 1, "ended")] };
    expect(() => checkRound(challenge(closed), undefined)).toThrow(code("round_not_open"));
    const late = challenge({ ...closed, after_end: "accept" });
    expect(checkRound(late, undefined)).toBeNull();
    expect(checkRound(late, "main")?.id).toBe("main");
  });
  it("that comes next is named when none is open", () => {
    expect(() =>
      checkRound(challenge({ round: null, rounds: [round("final", 1, "upcoming")] }), undefined),
    ).toThrow('"final" opens at');
  });
});

it("a function that is not there is told with those that are", () => {
  checkFunction(challenge(), "explain");
  expect(() => checkFunction(challenge(), "predict")).toThrow('it has "evaluate", "explain"');
});
