import { rename } from "node:fs/promises";
import { join } from "node:path";
import type {
  Job,
  PublicChallenge,
  Receipt,
  SessionAnswer,
  Submission,
  SubmissionEvent,
} from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, type TestClient } from "../support/test-broker.ts";
import { createToyGrader, environmentChallenge, type ToyGrader } from "../support/toy-sessions.ts";
import { until } from "../support/until.ts";

const SEEDS = [expect.any(Number), expect.any(Number)];

describe("a session of a remote agent", () => {
  let test: TestBroker;
  let toy: ToyGrader;
  let people = 0;
  beforeAll(async () => {
    toy = createToyGrader(["test", "each", "only-code", "limited"]);
    test = await startBroker({
      runGrader: toy.run,
      challenges: [
        environmentChallenge({ code: { capture: "required" } }),
        environmentChallenge({ id: "each", environment: { seeds: { count: 2, per: "submission" } } }),
        environmentChallenge({ id: "only-code", environment: { agents: ["code"] } }),
        environmentChallenge({ id: "only-remote", environment: { agents: ["remote"] } }),
        environmentChallenge({
          id: "limited",
          rounds: [{ id: "1", limit: { count: 2, per: "round" }, parallel_limit: 1 }],
        }),
        { id: "plain" },
      ],
    });
  });
  afterAll(() => test?.close());

  const newcomer = async () => {
    const key = await test.addParticipant(`participant ${++people}`);
    return { key, client: await test.connect({ key }) };
  };
  const view = async (id: string, key: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const create = (client: TestClient, challenge = "test", more = {}) =>
    client.ask<Receipt>("environment:create", { id: createSubmissionId(), challenge, ...more });
  const ask = (client: TestClient, name: string, id: string, more = {}) =>
    client.ask<SessionAnswer>(`environment:${name}`, { id, ...more });
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error) => error,
    );

  it("is accepted at once, takes a slot, and is a job without bytes", async () => {
    const { key, client } = await newcomer();
    const { submission, upload, code } = await create(client, "test", { message: "first" });
    expect(submission).toMatchObject({
      ...{ state: "submitted", slot: "reserved", message: "first", environment: null },
      input: { kind: "session", name: null, size: 0 },
    });
    expect([upload, code, submission.accepted_at]).toEqual([null, null, submission.created_at]);
    const taken = await toy.next();
    expect(taken.delivery.job).toMatchObject({
      input: { kind: "session", replay: null },
      code: null,
      seeds: SEEDS,
    });
    await toy.fail(taken, { charge: false });
    await until(async () => (await view(submission.id, key)).slot === "returned");
  });

  it("shows at once that its challenge was removed, until the challenge returns", async () => {
    const { key, client } = await newcomer();
    const { submission } = await create(client, "each");
    const { id } = submission;
    const taken = await toy.next();
    await toy.report(taken, { type: "started" });
    const [served, away] = [join(test.folder, "challenges/each"), join(test.folder, "each")];
    const isServed = async () => (await test.fetch("/api/v1/challenges/each", { key })).ok;
    /** Reports progress, and resolves with how it is shown. */
    const shown = async (percent: number) => {
      await toy.report(taken, { type: "progress", stage: "play", percent, message: "Episode 1 of 2" });
      return await until(async () => {
        const answer = await test.fetch(`/api/v1/submissions/${id}/events`, { key });
        const { events } = (await answer.json()) as { events: SubmissionEvent[] };
        return events.find(({ data }) => data.percent === percent)?.data.message;
      });
    };
    await rename(served, away);
    await until(async () => !(await isServed()));
    expect(await shown(10)).toBe(
      "The challenge was removed; unless it returns, nothing will be graded. Episode 1 of 2",
    );
    await rename(away, served);
    await until(isServed);
    expect(await shown(20)).toBe("Episode 1 of 2");
    await toy.fail(taken, { charge: false });
    await until(async () => (await view(id, key)).state === "failed");
  });

  it.each([
    ["a file", "test", { kind: "file", name: "a.csv", size: 3, sha256: "0".repeat(64) }, "not files"],
    ["a value", "test", { kind: "inline", data: 1 }, "not JSON values"],
    ["remote", "only-code", { kind: "session" }, "it accepts code agents, not remote agents"],
    ["code", "only-remote", { kind: "code", command: ["./a"] }, "it accepts remote agents, not code agents"],
    ["to step", "plain", { kind: "session" }, "plain has no environment to step"],
  ])("is not %s where %s takes none", async (_, challenge, input, words) => {
    const { client } = await newcomer();
    const intent = { id: createSubmissionId(), challenge, input };
    expect(await refusal(client.ask("submit", intent))).toMatchObject({
      code: "kind_not_accepted",
      message: expect.stringContaining(words),
    });
  });

  it("has no dry run and no other function", async () => {
    const { client } = await newcomer();
    const intent = { challenge: "test", input: { kind: "session" } };
    for (const more of [{ dry_run: true }, { function: "replay" }, { function: "evaluate" }])
      expect(
        await refusal(client.ask("submit", { id: createSubmissionId(), ...intent, ...more })),
      ).toMatchObject({
        code: expect.stringMatching(/^(usage|function_unknown)$/),
      });
    const items = [{ id: createSubmissionId(), data: 1 }];
    for (const more of [{ function: "submit", dry_run: true }, { function: "evaluate" }])
      expect(await refusal(client.ask("call", { challenge: "test", items, ...more }))).toMatchObject({
        code: expect.stringMatching(/^(kind_not_accepted|function_unknown)$/),
      });
  });

  it("needs its command where a code agent names it, and its code", async () => {
    const { client } = await newcomer();
    const agent = (command: string[] | null, code: object | null) =>
      refusal(
        client.ask("submit", {
          id: createSubmissionId(),
          challenge: "test",
          input: { kind: "code", command },
          code,
        }),
      );
    const code = { commit: "1".repeat(40), tree: "2".repeat(40), files: 1, bytes: 1 };
    expect(await agent(null, code)).toMatchObject({ code: "code_invalid" });
    expect(await agent(["./a"], null)).toMatchObject({ code: "code_required" });
    expect(await agent(["./a"], code)).toBeNull();
  });

  it("keeps the rules of slots, and is one submission however often it is registered", async () => {
    const { client } = await newcomer();
    const id = createSubmissionId();
    const receipts = await Promise.all(
      Array.from({ length: 5 }, () =>
        client.ask<Receipt>("environment:create", { id, challenge: "limited" }),
      ),
    );
    expect(new Set(receipts.map(({ submission }) => submission.number)).size).toBe(1);
    expect(await refusal(create(client, "limited"))).toMatchObject({ code: expect.stringMatching(/limit/) });
    const other = await newcomer();
    expect(await refusal(other.client.ask("environment:create", { id, challenge: "limited" }))).toMatchObject(
      { code: "id_conflict" },
    );
    await toy.fail(await toy.next(), { charge: false });
  });

  it("plays the same seeds in a round, or its own", async () => {
    const { client } = await newcomer();
    const seedsOf = async (challenge: string) => {
      await create(client, challenge);
      const taken = await toy.next();
      await toy.fail(taken, { charge: false });
      return (taken.delivery.job as Job).seeds;
    };
    const [one, two] = [await seedsOf("test"), await seedsOf("test")];
    expect(one).toEqual(two);
    expect(new Set(one).size).toBe(2);
    for (const seed of one!) expect(seed).toBeLessThan(2 ** 31);
    expect(await seedsOf("each")).not.toEqual(await seedsOf("each"));
    const { environment } = (await (await test.fetch("/api/v1/challenges/test")).json()) as PublicChallenge;
    expect(environment?.seeds).toBeNull();
  });

  it("is played to its end, and graded", async () => {
    const { key, client } = await newcomer();
    const { id } = (await create(client)).submission;
    const hello = ask(client, "hello", id);
    const { asked } = await toy.serve(await toy.next());
    expect(await hello).toMatchObject({ type: "hello", episodes: 2 });
    for (let episode = 1; episode <= 2; episode++) {
      expect(await ask(client, "reset", id, { episode })).toMatchObject({ type: "observation", episode });
      for (let n = 1; n <= 3; n++)
        expect(await ask(client, "step", id, { episode, n, action: 2 })).toMatchObject({
          type: "step",
          n,
          reward: 2,
        });
    }
    expect(await ask(client, "reset", id)).toEqual({ type: "end" });
    expect(await ask(client, "submit", id)).toEqual({ type: "end" });
    await until(async () => (await view(id, key)).state === "graded");
    expect(await view(id, key)).toMatchObject({ score: 6, slot: "charged" });
    expect(await ask(client, "reset", id)).toEqual({ type: "end" });
    expect(asked).toHaveLength(11);
  });
});
