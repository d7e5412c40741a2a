import { createHash } from "node:crypto";
import { createSubmissionId, type Leaderboard, type Limits } from "@crowdai/shared";
import { afterEach, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";

const value = (data: unknown) => ({ kind: "inline" as const, data });
const HOUR = 3_600_000;

describe("the rules", () => {
  let test: TestBroker;
  afterEach(() => test?.close());

  it("count daily slots in a sliding window, and report when the next one is free", async () => {
    let now = Date.parse("2026-03-01T12:00:00.000Z");
    test = await startBroker({
      clock: () => new Date(now),
      challenges: [{ rounds: [{ id: "1", limit: { count: 2, per: "day" } }] }],
    });
    const client = await test.connect();
    await client.submit({ input: value({ score: 1 }) });
    now += HOUR;
    await client.submit({ input: value({ score: 1 }) });
    const limits = (await (await test.fetch("/api/v1/challenges/test/limits")).json()) as Limits;
    expect(limits).toMatchObject({ used: 2, remaining: 0, next_at: "2026-03-02T12:00:00.000Z" });
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "no_slots",
      message: expect.stringContaining("2026-03-02T12:00:00.000Z"),
      details: { next_at: "2026-03-02T12:00:00.000Z" },
    });
    now += 23 * HOUR;
    await client.submit({ input: value({ score: 1 }) });
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({ code: "no_slots" });
  });

  it("give the last slot to one of fifty concurrent submissions", async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] }] });
    const client = await test.connect();
    const tries = await Promise.allSettled(
      Array.from({ length: 50 }, () => client.submit({ input: value({ score: 1 }) })),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("charge no slot for faults of the evaluator or the platform", async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] }] });
    const client = await test.connect();
    const { submission } = await client.submit({ input: value({ crash: true }) });
    await untilEnd(client, submission.id);
    await client.submit({ input: value({ score: 1 }) });
  });

  it("hide the score of a dry run, which takes no slot, but report its errors", async () => {
    test = await startBroker({ challenges: [{ rounds: [{ id: "1", limit: { count: 1, per: "round" } }] }] });
    const client = await test.connect();
    for (let i = 0; i < 3; i++) {
      const { submission } = await client.submit({
        dry_run: true,
        input: value({ score: 0.123, message: "0.123!" }),
      });
      const events = await untilEnd(client, submission.id);
      const seen = await (await test.fetch(`/api/v1/submissions/${submission.id}`)).json();
      expect(seen).toMatchObject({ state: "graded", score: null, slot: "none" });
      expect(JSON.stringify([events, seen])).not.toContain("0.123");
    }
    const { submission } = await client.submit({ dry_run: true, input: value({ reject: "row 3" }) });
    expect((await untilEnd(client, submission.id)).at(-1)).toMatchObject({
      type: "failed",
      data: { message: "row 3" },
    });
  });

  it("enforce the parallel limit until a submission ends", async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [{ rounds: [{ id: "1", parallel_limit: 1 }] }],
    });
    const client = await test.connect();
    const { submission } = await client.submit({ input: value({ score: 1 }) });
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "parallel_limit",
      message: "1 of your submissions is unfinished (1 waiting for a grade); test allows 1 at a time.",
    });
    await expect(client.submit({ dry_run: true, input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "parallel_limit",
    });
    await client.ask("cancel", { id: submission.id });
    await client.submit({ input: value({ score: 1 }) });
  });

  it("allow 100 waiting submissions where the organizer names no parallel limit, and any number where it is null", async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [{ id: "silent" }, { id: "open", rounds: [{ id: "1", parallel_limit: null }] }],
    });
    const [silent, open] = [
      await test.connect({ challenge: "silent" }),
      await test.connect({ challenge: "open" }),
    ];
    const send = (client: TestClient, challenge: string, count: number) =>
      Promise.allSettled(
        Array.from({ length: count }, () => client.submit({ challenge, input: value({ score: 1 }) })),
      );
    const refused = (await send(silent, "silent", 103)).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(3);
    for (const one of refused) expect(one).toMatchObject({ reason: { code: "parallel_limit" } });
    const limits = await (await test.fetch("/api/v1/challenges/silent/limits")).json();
    expect(limits).toMatchObject({ parallel_limit: 100, running: 100, limit: null });
    expect((await send(open, "open", 103)).every(({ status }) => status === "fulfilled")).toBe(true);
  });

  it("tell what is being uploaded from what waits for a grade", async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [{ rounds: [{ id: "1", parallel_limit: 2 }] }],
    });
    const client = await test.connect();
    await client.submit({ input: value({ score: 1 }) });
    await client.submit({ input: { kind: "file", name: "a.csv", size: 10, sha256: "0".repeat(64) } });
    expect(await (await test.fetch("/api/v1/challenges/test/limits")).json()).toMatchObject({
      running: 2,
      uploading: 1,
    });
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      message:
        "2 of your submissions are unfinished (1 being uploaded, 1 waiting for a grade); test allows 2 at a time.",
    });
  });

  it("do not count late submissions against the limit of the round", async () => {
    test = await startBroker({
      withGrader: false,
      challenges: [
        {
          after_end: "accept",
          rounds: [{ id: "1", ends_at: "2026-01-20T00:00:00Z", limit: { count: 1, per: "round" } }],
        },
      ],
    });
    const client = await test.connect();
    for (let i = 0; i < 2; i++)
      expect((await client.submit({ input: value({ score: 1 }) })).submission.post_challenge).toBe(true);
  });

  it("open rounds by the clock, and report the next opening", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    test = await startBroker({
      clock: () => new Date(now),
      challenges: [
        { rounds: [{ id: "a", starts_at: "2026-01-10T00:00:00Z", ends_at: "2026-01-20T00:00:00Z" }] },
        { id: "late", after_end: "accept", rounds: [{ id: "a", ends_at: "2026-01-20T00:00:00Z" }] },
      ],
    });
    const client = await test.connect();
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "round_not_open",
      message: expect.stringContaining("2026-01-10T00:00:00Z"),
    });
    now = Date.parse("2026-01-15T00:00:00Z");
    await client.submit({ input: value({ score: 1 }) });
    now = Date.parse("2026-01-21T00:00:00Z");
    await expect(client.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "round_not_open",
    });
    const { submission } = await client.submit({ challenge: "late", input: value({ score: 1 }) });
    expect(submission.post_challenge).toBe(true);
    await untilEnd(client, submission.id);
    const board = async (query: string) =>
      (await (await test.fetch(`/api/v1/challenges/late/leaderboard?${query}`)).json()) as Leaderboard;
    expect((await board("")).rows).toHaveLength(0);
    expect((await board("ongoing=true")).rows).toHaveLength(1);
  });

  it.each([
    ["descending", 0.8, 0.79],
    ["ascending", 0.2, 0.21],
  ])(
    "ask for the previous round's score in the direction of a %s order; equality passes",
    async (order, good, bad) => {
      let now = Date.parse("2026-01-01T00:00:00Z");
      const second = { id: "2", starts_at: "2026-02-01T00:00:00Z", minimum_score: good };
      test = await startBroker({
        clock: () => new Date(now),
        challenges: [
          { score: { order, precision: 3 }, rounds: [{ id: "1", ends_at: "2026-01-31T00:00:00Z" }, second] },
        ],
      });
      const ada = await test.connect();
      const bob = await test.connect({ key: await test.addParticipant("bob") });
      const eve = await test.connect({ key: await test.addParticipant("eve") });
      await untilEnd(ada, (await ada.submit({ input: value({ score: good }) })).submission.id);
      await untilEnd(bob, (await bob.submit({ input: value({ score: bad }) })).submission.id);
      now = Date.parse("2026-02-02T00:00:00Z");
      await ada.submit({ input: value({ score: 1 }) });
      await expect(bob.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
        code: "not_qualified",
      });
      await expect(eve.submit({ input: value({ score: 1 }) })).rejects.toMatchObject({
        code: "not_qualified",
      });
    },
  );

  it("reject inputs with the wrong size, extension, kind, schema or depth", async () => {
    const schema = {
      type: "object",
      required: ["score"],
      properties: { score: { type: "number" }, list: { type: "array", items: { type: "integer" } } },
    };
    test = await startBroker({
      challenges: [
        { accepts: { file: { extensions: [".csv"], max_bytes: 10 }, json: { schema, max_bytes: 200 } } },
        { id: "files", accepts: { file: {} } },
      ],
    });
    const client = await test.connect();
    const sha256 = createHash("sha256").update("x").digest("hex");
    const file = (name: string, size: number) => ({ kind: "file" as const, name, size, sha256 });
    const refused = (input: unknown, challenge = "test") =>
      client.submit({ challenge, input: input as never }).then(
        () => "accepted",
        (error) => error.code,
      );
    expect(await refused(file("a.csv", 11))).toBe("file_too_large");
    expect(await refused(file("a.txt", 1))).toBe("file_extension");
    expect(await refused(file("a.csv", 10))).toBe("accepted");
    expect(await refused(file("a.csv", 0))).toBe("usage");
    expect(await refused(value({ score: "x" }))).toBe("value_schema");
    expect(await refused(value({ score: 1, list: Array(200).fill(1) }))).toBe("value_too_large");
    expect(await refused(value({ score: 1 }), "files")).toBe("kind_not_accepted");
    let deep: unknown = 1;
    for (let i = 0; i < 200; i++) deep = [deep];
    expect(await refused(value(deep))).toBe("value_too_deep");
    await expect(client.submit({ input: value({ score: 1, list: [1, 2, "three"] }) })).rejects.toMatchObject({
      code: "value_schema",
      message: expect.stringContaining("$.list[2]"),
    });
  });

  it("suggest a challenge, a round or a function with a similar name", async () => {
    test = await startBroker();
    await expect(test.connect({ challenge: "tset" })).rejects.toMatchObject({
      code: "challenge_unknown",
      details: { suggestion: "test" },
    });
    const client = await test.connect();
    await expect(client.submit({ round: "9", input: value({ score: 1 }) })).rejects.toMatchObject({
      code: "round_unknown",
    });
    const items = [{ id: createSubmissionId(), data: { x: 1 } }];
    await expect(client.ask("call", { challenge: "test", function: "evalute", items })).rejects.toMatchObject(
      {
        code: "function_unknown",
      },
    );
  });
});
