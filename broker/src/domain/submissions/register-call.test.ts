import { type CallRequest, callSchema, STEP_LOG } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADA, BOB, DAY, type Domain, openDomain } from "../../../test/support/domain.ts";
import { registerCall } from "./register-call.ts";

const PROGRAM = { evaluator: { command: ["true"], functions: ["submit", "evaluate", "check"] } };
let domain: Domain;
beforeEach(async () => {
  domain = await openDomain();
  domain.serve(PROGRAM);
});
afterEach(() => domain.close());

const items = (...values: unknown[]) =>
  values.map((data, index) => ({ id: `call-number-${index + 1}`, data }));
const call = (more: Partial<CallRequest> = {}, by = ADA) => {
  const request = { challenge: "sums", function: "evaluate", items: items(1, 2), ...more };
  return registerCall(domain.services, by, callSchema.parse(request));
};
const rows = () => domain.db.selectFrom("submissions").selectAll().orderBy("id").execute();

describe("a call", () => {
  it("registers its values, in order, without a slot", async () => {
    const submissions = await call();
    expect(submissions).toMatchObject([
      { id: "call-number-1", function: "evaluate", state: "submitted", slot: "none", participant: "ada" },
      { id: "call-number-2", function: "evaluate", state: "submitted", slot: "none" },
    ]);
    expect(await rows()).toMatchObject([
      { id: "call-number-1", input_data: "1", round: "1", message: null, attempt: 1, model_count: 0 },
      { id: "call-number-2", input_data: "2", round: "1", message: null, attempt: 1, member: null },
    ]);
    expect(await domain.attempts("call-number-2")).toHaveLength(1);
    expect(await domain.db.selectFrom("models").selectAll().execute()).toEqual([]);
    expect(domain.seen.announced).toEqual(
      [1, 2].flatMap((index) => [
        `sums call-number-${index} 1 initiated`,
        `sums call-number-${index} 2 submitted`,
      ]),
    );
    expect(domain.seen.dispatched).toEqual(["all"]);
    // The lock under which intents are held to the same limits.
    expect(domain.seen.locked).toEqual(["participant:1:sums"]);
  });

  it("again, or with more values, registers what is new", async () => {
    const first = await call();
    domain.seen.announced.length = 0;
    domain.pass(1000);
    const again = await call({ items: [...items(1, 2, 3)].reverse() });
    expect(again.map(({ id }) => id)).toEqual(["call-number-3", "call-number-2", "call-number-1"]);
    expect(again[2]!.created_at).toBe(first[0]!.created_at);
    expect(domain.seen.announced).toEqual([
      "sums call-number-3 1 initiated",
      "sums call-number-3 2 submitted",
    ]);
  });

  it("with an id twice is one value, unless the values differ", async () => {
    const twice = (...values: unknown[]) => values.map((data) => ({ id: "call-number-1", data }));
    expect(await call({ items: twice(1, 1) })).toHaveLength(2);
    expect(await rows()).toHaveLength(1);
    const other = [
      { id: "call-number-2", data: 1 },
      { id: "call-number-2", data: 2 },
    ];
    await expect(call({ items: other })).rejects.toMatchObject({ code: "id_conflict" });
    expect(await rows()).toHaveLength(1);
  });

  it("of ids that are taken registers nothing", async () => {
    await call({ items: items(1) });
    await expect(call({ items: items(2) })).rejects.toMatchObject({ code: "id_conflict" });
    await expect(call({}, BOB)).rejects.toMatchObject({ code: "id_conflict" });
    await expect(call({ function: "check" })).rejects.toMatchObject({ code: "id_conflict" });
    expect(await rows()).toHaveLength(1);
  });

  it("of submissions is a dry run", async () => {
    await expect(call({ function: "submit" })).rejects.toMatchObject({ code: "usage" });
    expect(await call({ function: "submit", dry_run: true })).toMatchObject([
      { slot: "none" },
      { slot: "none" },
    ]);
    expect(await rows()).toMatchObject([{ dry_run: 1 }, { dry_run: 1 }]);
  });

  it.each([
    ["in a challenge that is not visible", { visibility: { private: true } }, {}, "unknown challenge"],
    ["of a function that does not exist", {}, { function: "fly" }, 'no function "fly"'],
    [
      "of a dry run of code",
      { run: { command: ["x"], output: { path: "y" } } },
      { function: "submit", dry_run: true },
      "runs submitted code",
    ],
    [
      "of a dry run of an environment",
      { environment: { gym: "env.py:make" }, accepts: {} },
      { function: "submit", dry_run: true },
      "has an environment",
    ],
    ["before its round", { rounds: [{ id: "1", starts_at: "2026-04-01T00:00:00Z" }] }, {}, "opens at"],
    ["of a value that is too large", {}, { items: items("x".repeat(70_000)) }, "at most"],
  ] as const)("is refused %s", async (_, config, more, message) => {
    domain.serve({ ...PROGRAM, ...config });
    await expect(call(more as object)).rejects.toThrow(message);
    expect(await rows()).toEqual([]);
  });

  it("is refused for a disqualified participant", async () => {
    await domain.db
      .insertInto("disqualifications")
      .values({ participant_id: ADA.id, challenge: null, decision: "disqualified", reason: "why", at: "" })
      .execute();
    await expect(call()).rejects.toMatchObject({ code: "disqualified" });
  });

  it("in a closed challenge is refused while the round is open, and accepted after its end", async () => {
    await domain.db
      .insertInto("closures")
      .values({ challenge: "sums", closed_at: domain.at(), version: 0, shown: 0 })
      .execute();
    await expect(call()).rejects.toMatchObject({ code: "challenge_closed" });
    const ended = [{ id: "1", ends_at: "2026-03-01T00:00:00Z" }];
    domain.serve({ ...PROGRAM, rounds: ended, after_end: "accept" });
    await call();
    expect(await rows()).toMatchObject([{ post_challenge: 1 }, { post_challenge: 1 }]);
  });

  it("of a check is limited in number, and may be repeated", async () => {
    domain.serve({ ...PROGRAM, check: { function: "check", per_hour: 2 } });
    await call({ function: "check" });
    domain.serve({ ...PROGRAM, check: { function: "check", per_hour: 1 } });
    await call({ function: "check" });
    await expect(call({ function: "check", items: [{ id: "another-1", data: 1 }] })).rejects.toMatchObject({
      code: "too_many_requests",
    });
    await call({ items: [{ id: "another-1", data: 1 }] });
  });

  it("may have 2000 values waiting", async () => {
    await call({ items: items(1) });
    const [row] = await rows();
    const { number: _, ...known } = row!;
    const more = Array.from({ length: 1998 }, (_, index) => ({ ...known, id: `waiting-${index}` }));
    for (let at = 0; at < more.length; at += 500)
      await domain.db
        .insertInto("submissions")
        .values(more.slice(at, at + 500))
        .execute();
    await expect(call({ items: items(1, 2, 3) })).rejects.toMatchObject({ code: "too_many_requests" });
    await call({ items: items(1, 2) });
    await call({ items: [{ id: "of-another", data: 1 }] }, BOB);
  });
});

describe("a replay", () => {
  const ENVIRONMENT = { environment: { gym: "env.py:make" }, accepts: {} };
  const log = { name: STEP_LOG, key: "a/log", size: 3, sha256: "0d".repeat(32), type: "application/gzip" };
  const played = async (more: object = {}) => {
    domain.serve(ENVIRONMENT);
    await domain.submit({ id: "a-session", input: { kind: "session" } });
    await domain.set({ state: "graded", artifacts: JSON.stringify([log]), ...more }, "a-session");
  };
  const replay = (data: unknown = { submission: "a-session" }, by = ADA) =>
    call({ function: "replay", items: items(data) }, by);

  it("of one's own session is registered in its round, at any time", async () => {
    await played({ post_challenge: 1 });
    domain.serve({
      ...ENVIRONMENT,
      rounds: [{ id: "1", ends_at: "2026-03-11T00:00:00Z" }],
      after_end: "reject",
    });
    domain.pass(30 * DAY);
    await domain.db
      .insertInto("closures")
      .values({ challenge: "sums", closed_at: domain.at(), version: 0, shown: 0 })
      .execute();
    await replay();
    const { key, size, sha256 } = log;
    const [, row] = await rows();
    expect(row).toMatchObject({ function: "replay", round: "1", post_challenge: 1, input_kind: "json" });
    expect(JSON.parse(row!.input_data!)).toEqual({ submission: "a-session", log: { key, size, sha256 } });
    // The same one again.
    await replay();
    expect(await rows()).toHaveLength(2);
  });

  it("of a session that was in time is in time", async () => {
    await played();
    await replay();
    expect((await rows())[1]).toMatchObject({ function: "replay", post_challenge: 0 });
  });

  it("names a submission of one's own, of this challenge and with steps", async () => {
    await played();
    domain.serve({ ...ENVIRONMENT, id: "another" });
    for (const data of [{}, { submission: "" }, { submission: "a-session", more: 1 }, "a-session"])
      await expect(replay(data)).rejects.toMatchObject({ code: "usage" });
    await expect(replay(undefined, BOB)).rejects.toMatchObject({ code: "submission_unknown" });
    await domain.set({ challenge: "another" }, "a-session");
    await expect(replay()).rejects.toThrow("not to sums");
    await domain.set({ challenge: "sums", round: "gone" }, "a-session");
    await expect(replay()).rejects.toMatchObject({ code: "round_unknown" });
    await domain.set({ artifacts: null }, "a-session");
    await expect(replay()).rejects.toMatchObject({
      ...{ code: "usage", next: "Replay a submission that has ended, and whose agent has played." },
    });
    expect(await rows()).toHaveLength(1);
  });
});
