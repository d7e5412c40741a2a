import type { PublicChallenge, Round } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { checkFunction } from "./check-function.ts";
import { checkInput } from "./check-input.ts";
import { checkRound } from "./check-round.ts";

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
    "named %j is accepted for its extension",
    async (name) => {
      expect(await checkInput(challenge(), file(name))).toHaveLength(2);
    },
  );
  it.each(["p.gz", "csv", "p.csv.txt", ".csv "])(
    "named %j is refused with the accepted extensions",
    async (name) => {
      await expect(checkInput(challenge(), file(name))).rejects.toThrow(".csv, .tar.gz");
    },
  );
  it("of any name is accepted if the challenge asks for no extension", async () => {
    const any = challenge({ accepts: { file: { extensions: [], max_bytes: 10 }, json: null, code: null } });
    await checkInput(any, file("whatever"));
  });
  it("may have exactly the maximum size", async () => {
    await checkInput(challenge(), file("p.csv", 10));
    await expect(checkInput(challenge(), file("p.csv", 11))).rejects.toEqual(code("file_too_large"));
    await checkInput(challenge(), json([], 10));
    await expect(checkInput(challenge(), json([], 11))).rejects.toEqual(code("value_too_large"));
  });
  it("of a kind that is not accepted is refused", async () => {
    const none = challenge({ accepts: { file: null, json: null, code: null } });
    await expect(checkInput(none, file("p.csv"))).rejects.toEqual(code("kind_not_accepted"));
    await expect(checkInput(none, json([]))).rejects.toEqual(code("kind_not_accepted"));
  });
  it("that does not match the schema is refused with the path and the rule", async () => {
    await expect(checkInput(challenge(), json({}))).rejects.toThrow(/\$.*type/s);
  });
});

describe("a round", () => {
  it("is the open one, or one named by id or number", () => {
    expect(checkRound(challenge(), undefined)?.id).toBe("main");
    expect(checkRound(challenge(), "main")?.id).toBe("main");
    expect(checkRound(challenge(), "2")?.id).toBe("main");
  });
  it("that does not exist is refused with the names of the others", () => {
    expect(() => checkRound(challenge(), "9")).toThrow('"warm-up", "main", "final"');
  });
  it("is named with its end when the last one is over", () => {
    const over = challenge({ rounds: [round("warm-up", 1, "ended")], round: null });
    expect(() => checkRound(over, undefined)).toThrow(/"warm-up" ended 2026-0[12]-\d\d /);
  });
  it("that has ended or not begun is refused with its date", () => {
    expect(() => checkRound(challenge(), "warm-up")).toThrow(/ended 2026-0[12]-\d\d /);
    expect(() => checkRound(challenge(), "final")).toThrow(/opens on 202[56]-\d\d-\d\d /);
  });
  it("must be open, unless late submissions are accepted", () => {
    const closed = { round: null, rounds: [round("main", 1, "ended")] };
    expect(() => checkRound(challenge(closed), undefined)).toThrow(code("round_not_open"));
    const late = challenge({ ...closed, after_end: "accept" });
    expect(checkRound(late, undefined)).toBeNull();
    expect(checkRound(late, "main")?.id).toBe("main");
  });
  it("that comes next is named when none is open", () => {
    expect(() =>
      checkRound(challenge({ round: null, rounds: [round("final", 1, "upcoming")] }), undefined),
    ).toThrow('"final" opens ');
  });
});

it("a function that does not exist is refused with the names of the others", () => {
  checkFunction(challenge(), "explain");
  expect(() => checkFunction(challenge(), "predict")).toThrow('Functions: "evaluate", "explain".');
});
