import { describe, expect, it } from "vitest";
import { type ChallengeConfig, challengeConfigSchema } from "./challenge-config.ts";
import { acceptingRound, openRound, roundNumber, roundState, sortByStart } from "./rounds.ts";

function challenge(rounds: object[], others: object = {}): ChallengeConfig {
  const base = { id: "iris", title: "Iris", score: {}, evaluator: { command: ["run"] } };
  return challengeConfigSchema.parse({ ...base, rounds, ...others });
}

const MAY = { id: "may", starts_at: "2026-05-01T00:00:00Z", ends_at: "2026-05-31T23:59:59Z" };
const JUNE = { id: "june", starts_at: "2026-06-01T00:00:00Z", ends_at: "2026-06-30T23:59:59Z" };
const at = (time: string) => new Date(time);

describe("a round", () => {
  const [round] = challenge([MAY]).rounds as [ChallengeConfig["rounds"][number]];

  it.each([
    ["2026-04-30T23:59:59.999Z", "upcoming"],
    ["2026-05-01T00:00:00.000Z", "open"],
    ["2026-05-15T12:00:00.000Z", "open"],
    ["2026-05-31T23:59:59.000Z", "open"],
    ["2026-05-31T23:59:59.001Z", "ended"],
  ])("at %s is %s", (time, state) => {
    expect(roundState(round, at(time))).toBe(state);
  });

  it("without a start has always been open, and without an end stays open", () => {
    const [always] = challenge([{ id: "1" }]).rounds as [typeof round];
    expect(roundState(always, new Date(-8.64e15))).toBe("open");
    expect(roundState(always, new Date(8.64e15))).toBe("open");
  });

  it("starts at the same time in every time zone", () => {
    const [zoned] = challenge([{ id: "1", starts_at: "2026-05-01T02:00:00+02:00" }]).rounds as [typeof round];
    expect(roundState(zoned, at("2026-04-30T23:59:59.999Z"))).toBe("upcoming");
    expect(roundState(zoned, at("2026-05-01T00:00:00Z"))).toBe("open");
  });
});

describe("the rounds of a challenge", () => {
  it("are numbered from 1 in order of start, not in order of listing", () => {
    const config = challenge([JUNE, { id: "warm-up" }, MAY]);
    expect(["warm-up", "may", "june"].map((id) => roundNumber(config, id))).toEqual([1, 2, 3]);
  });

  it("have no number for an unknown round", () => {
    expect(() => roundNumber(challenge([MAY]), "toString")).toThrow(
      expect.objectContaining({ code: "round_unknown" }),
    );
  });

  it("keep their order when they start at the same time", () => {
    const rounds = [
      { id: "b", starts_at: null },
      { id: "a", starts_at: null },
    ];
    expect(sortByStart(rounds)).toEqual(rounds);
  });

  it("are open between start and end", () => {
    const config = challenge([MAY, JUNE]);
    expect(openRound(config, at("2026-04-01T00:00:00Z"))).toBeNull();
    expect(openRound(config, at("2026-05-02T00:00:00Z"))?.id).toBe("may");
    expect(openRound(config, at("2026-06-02T00:00:00Z"))?.id).toBe("june");
    expect(openRound(config, at("2026-07-02T00:00:00Z"))).toBeNull();
  });

  it("overlap with the latest one open, also at a shared boundary", () => {
    const config = challenge([JUNE, { id: "all-year" }, { ...MAY, ends_at: JUNE.starts_at }]);
    expect(openRound(config, at("2026-06-01T00:00:00Z"))?.id).toBe("june");
    expect(openRound(config, at("2026-05-02T00:00:00Z"))?.id).toBe("may");
    expect(openRound(config, at("2026-07-02T00:00:00Z"))?.id).toBe("all-year");
  });

  it("accept submissions after the last end only when the challenge allows it", () => {
    const late = at("2026-07-02T00:00:00Z");
    expect(acceptingRound(challenge([MAY, JUNE]), late)).toBeNull();
    const accepting = challenge([MAY, JUNE], { after_end: "accept" });
    expect(acceptingRound(accepting, late)).toMatchObject({ round: { id: "june" }, post_challenge: true });
    expect(acceptingRound(accepting, at("2026-06-02T00:00:00Z"))).toMatchObject({
      round: { id: "june" },
      post_challenge: false,
    });
    expect(acceptingRound(accepting, at("2026-04-02T00:00:00Z"))).toBeNull();
  });
});
