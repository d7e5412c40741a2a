import type {
  EnvironmentRecord,
  Job,
  PublicChallenge,
  Receipt,
  StoredFile,
  Submission,
} from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { closeChallenge } from "../../src/domain/publishing/close-challenge.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { finishedWith } from "../support/redis-broker.ts";
import { startBroker, type TestBroker, type TestClient } from "../support/test-broker.ts";
import { createToyGrader, environmentChallenge, type ToyGrader } from "../support/toy-sessions.ts";
import { until } from "../support/until.ts";

const LOG: StoredFile = {
  ...{ key: "submissions/test/log", name: "steps.ndjson.gz", size: 3 },
  ...{ sha256: "0".repeat(64), type: "application/gzip" },
};
const RECORD: EnvironmentRecord = {
  ...{ agent: "remote", grader: "toy", steps: 3, invalid_actions: 0, resumed: 0 },
  episodes: [{ episode: 1, seed_sha256: "1".repeat(64), steps: 3, return: 6, ended: "terminated" }],
  ...{ agent_ms: { p50: 1, p99: 2 }, environment_ms: { p50: 1, p99: 2 } },
};

describe("the end of a session", () => {
  let test: TestBroker;
  let toy: ToyGrader;
  let client: TestClient;
  beforeAll(async () => {
    toy = createToyGrader(["test", "each"]);
    test = await startBroker({
      runGrader: toy.run,
      challenges: [
        environmentChallenge({ visibility: { submissions: true } }),
        environmentChallenge({ id: "each", environment: { seeds: { count: 2, per: "submission" } } }),
      ],
    });
    client = await test.connect();
  });
  afterAll(() => test?.close());

  const view = async (id: string, key: string | null = test.key) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`, { key })).json()) as Submission;
  const ended = (id: string) =>
    until(async () => {
      const now = await view(id);
      return now.finished_at !== null && now;
    });
  async function open(challenge = "test") {
    const id = createSubmissionId();
    await client.ask<Receipt>("environment:create", { id, challenge });
    return { id, taken: await toy.next() };
  }
  async function grade(taken: Awaited<ReturnType<ToyGrader["next"]>>, score: number, more = {}) {
    const finished = finishedWith(taken, "toy", score);
    await toy.report(taken, { ...finished, outcome: { ...finished.outcome, ...more } });
    taken.acknowledge();
  }

  it.each([
    ["agent_timeout", undefined, "charged"],
    ["agent_protocol", false, "returned"],
    ["session_abandoned", true, "charged"],
    ["code_crashed", false, "returned"],
    ["env_crashed", undefined, "returned"],
    ["session_lost", undefined, "returned"],
  ] as const)(
    "by %s, with charge %s, leaves the slot %s and the steps stored",
    async (code, charge, slot) => {
      const { id, taken } = await open();
      await toy.fail(taken, { code, charge, environment: RECORD, artifacts: [LOG] });
      expect(await ended(id)).toMatchObject({
        ...{ state: "failed", slot, error: { code }, environment: RECORD },
        artifacts: [{ name: LOG.name, size: 3 }],
      });
    },
  );

  it("is shown to the participant and the organizers only", async () => {
    const { id, taken } = await open();
    await grade(taken, 3, { environment: RECORD, artifacts: [LOG] });
    expect((await ended(id)).environment).toEqual(RECORD);
    const organizer = await addOrganizer(test.records, "org", ["test"], new Date().toISOString());
    expect((await view(id, organizer)).environment).toEqual(RECORD);
    expect(await view(id, await test.addParticipant("bob"))).toMatchObject({
      ...{ score: 3, environment: null, artifacts: [] },
    });
  });

  it("by its participant costs the slot once a reset was answered", async () => {
    const before = await open();
    await toy.serve(before.taken);
    await client.ask("cancel", { id: before.id });
    expect(await view(before.id)).toMatchObject({ state: "cancelled", slot: "returned" });
    const after = await open();
    await toy.serve(after.taken);
    await client.ask("environment:reset", { id: after.id });
    await until(async () => (await view(after.id)).seq > 3);
    await client.ask("cancel", { id: after.id });
    expect(await view(after.id)).toMatchObject({ state: "cancelled", slot: "charged" });
  });

  it("leaves steps that its participant can replay, with the seeds of its own round and without a slot", async () => {
    const { id, taken } = await open("each");
    const { seeds } = taken.delivery.job;
    await grade(taken, 3, { artifacts: [LOG] });
    await ended(id);
    const replay = (data: unknown, as = client, challenge = "each") =>
      as.ask<{ submissions: Submission[] }>("call", {
        ...{ challenge, function: "replay" },
        items: [{ id: createSubmissionId(), data }],
      });
    const { submissions } = await replay({ submission: id });
    const again = await toy.next();
    expect(again.delivery.job).toMatchObject({
      ...{ function: "replay", seeds, code: null },
      input: { kind: "session", replay: { key: LOG.key, size: LOG.size, sha256: LOG.sha256 } },
    });
    await grade(again, 3, { data: { same: true }, environment: { ...RECORD, agent: "replay" } });
    expect(await ended(submissions[0]!.id)).toMatchObject({
      ...{ slot: "none", data: { same: true }, environment: { agent: "replay" } },
    });
    const bob = await test.connect({ key: await test.addParticipant("carol") });
    await expect(replay({ submission: id }, bob)).rejects.toMatchObject({ code: "submission_unknown" });
    await expect(replay({ submission: id }, client, "test")).rejects.toMatchObject({ code: "usage" });
    await expect(replay({ submission: submissions[0]!.id })).rejects.toMatchObject({ code: "usage" });
    await expect(replay(id)).rejects.toMatchObject({ code: "usage" });
  });

  it("is graded again from the stored steps, which stay stored", async () => {
    const { id, taken } = await open("each");
    await grade(taken, 3, { artifacts: [LOG] });
    const failed = await open("each");
    await toy.fail(failed.taken, { code: "env_crashed" });
    await Promise.all([ended(id), ended(failed.id)]);
    await startRegrade(test.records, "each", new Date());
    const jobs: Job[] = [];
    // The session of the test before, and this one; not the one whose agent can play no more.
    for (let left = 2; left > 0; left--) {
      const again = await toy.next();
      jobs.push(again.delivery.job);
      await grade(again, 4);
    }
    expect(jobs.map(({ input }) => input)).toEqual(
      jobs.map(() => ({ kind: "session", replay: expect.objectContaining({ key: LOG.key }) })),
    );
    expect(jobs.find(({ submission }) => submission === id)?.seeds).toEqual(taken.delivery.job.seeds);
    await until(async () => (await view(id)).regraded);
    expect(await view(id)).toMatchObject({ score: 4, artifacts: [{ name: LOG.name }] });
    expect((await view(failed.id)).regraded).toBeNull();
  });

  it("of the challenge makes its seeds public, where they are those of a round", async () => {
    const { id, taken } = await open();
    await toy.fail(taken, { charge: false });
    await ended(id);
    const seeds = async (challenge: string) =>
      ((await (await test.fetch(`/api/v1/challenges/${challenge}`)).json()) as PublicChallenge).environment
        ?.seeds;
    for (const challenge of ["test", "each"])
      await closeChallenge(test.records, null, challenge, { force: true, now: new Date() });
    expect(await seeds("test")).toEqual([{ round: "1", seeds: taken.delivery.job.seeds }]);
    expect(await seeds("each")).toBeNull();
  });

  it("shows the seeds that its own agent played, once the challenge is closed", async () => {
    const id = createSubmissionId();
    await test.records.db.deleteFrom("closures").where("challenge", "=", "each").execute();
    await client.ask<Receipt>("environment:create", { id, challenge: "each" });
    const taken = await toy.next();
    await grade(taken, 3, { environment: RECORD, artifacts: [LOG] });
    expect((await ended(id)).environment?.episodes).toEqual(RECORD.episodes);
    await closeChallenge(test.records, null, "each", { force: true, now: new Date() });
    expect((await view(id)).environment?.episodes).toEqual([
      { ...RECORD.episodes[0], seed: taken.delivery.job.seeds![0] },
    ]);
  });
});
