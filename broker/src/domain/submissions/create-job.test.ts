import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Domain, INTENT, openDomain } from "../../../test/support/domain.ts";
import type { ServedChallenge } from "../challenges/catalog.ts";
import { createJob } from "./create-job.ts";

const { id } = INTENT;
let domain: Domain;
beforeAll(async () => {
  domain = await openDomain();
  domain.serve();
});
afterAll(() => domain.close());

describe("a job", () => {
  const config = (more: object = {}) =>
    challengeConfigSchema.parse({
      ...{ id: "sums", title: "Sums", score: { order: "descending" }, evaluator: { command: ["true"] } },
      ...{ accepts: { json: {} }, ...more },
    });
  const noCode = { tree_key: null, tree_size: null, tree_sha256: null };
  const code = { tree_key: "code/key", tree_size: 3, tree_sha256: "0a" };
  const served = (more: object = {}): Pick<ServedChallenge, "config" | "version" | "bundle"> => ({
    ...{ config: config(more), version: "v1", bundle: null },
  });
  const job = async (change: object, challenge = served(), seeds: number[] | null = null) => {
    await domain.submit();
    return createJob({ ...(await domain.row()), ...noCode, ...change }, 4, challenge, () => seeds);
  };

  it("carries the submission, its attempt, and whose turn it takes", async () => {
    expect(await job({})).toEqual({
      ...{ submission: id, attempt: 4, challenge: "sums", function: "submit", round: 1, dry_run: false },
      ...{
        input: { kind: "inline", data: { a: 1 } },
        code: null,
        version: null,
        bundle: null,
        fair_key: "1",
      },
    });
    expect(await job({ dry_run: 1, function: "evaluate" })).toMatchObject({
      ...{ dry_run: true, function: "evaluate" },
    });
  });

  it("has the number of its round; one that was removed counts as one more", async () => {
    const challenge = served({ rounds: [{ id: "1" }, { id: "final", starts_at: "2026-01-01T00:00:00Z" }] });
    const rounds = [];
    for (const round of ["1", "final", "gone"]) rounds.push((await job({ round }, challenge)).round);
    expect(rounds).toEqual([1, 2, 3]);
  });

  it("names the object of an uploaded input", async () => {
    const file = { input_kind: "file", input_data: null, input_key: "a/key", input_name: "a.csv" };
    expect((await job({ ...file, input_size: 9, input_sha256: "0b" })).input).toEqual({
      ...{ kind: "file", key: "a/key", name: "a.csv", size: 9, sha256: "0b" },
    });
  });

  it("keeps numbers of a value that JavaScript would round", async () => {
    const { input } = await job({ input_data: "12345678901234567890" });
    expect(String((input as { data: unknown }).data)).toContain("12345678901234567890");
  });

  it("has the version and the object of a challenge that was added as a bundle", async () => {
    const bundle = { key: "bundles/1", sha256: "0c", size: 5 };
    expect(await job({}, { ...served(), bundle })).toMatchObject({ version: "v1", bundle });
  });

  it("has the code only where graders get it, and it has arrived", async () => {
    const wanted = served({ code: { to_graders: true } });
    const sent = { key: "code/key", size: 3, sha256: "0a" };
    expect((await job(code)).code).toBeNull();
    expect((await job(code, wanted)).code).toEqual(sent);
    expect((await job({}, wanted)).code).toBeNull();
    expect((await job({ ...code, input_kind: "session" }, wanted)).code).toBeNull();
    expect((await job({ ...code, input_kind: "code", input_data: null })).code).toEqual(sent);
  });

  it("of submitted code has the participant's command only where the challenge leaves it to them", async () => {
    const command = async (challenge: object, input_data: string | null = '["run","it"]') =>
      (await job({ ...code, input_kind: "code", input_data }, served(challenge))).input;
    const run = (more: object) => ({ run: { command: ["run"], output: { path: "out.csv" }, ...more } });
    const environment = (more: object) => ({ environment: { gym: "env.py:make", code: more } });
    expect(await command(run({}))).toEqual({ kind: "code", command: null });
    expect(await command(run({ command: "submission" }))).toEqual({ kind: "code", command: ["run", "it"] });
    expect(await command(run({ command: "submission" }), null)).toEqual({ kind: "code", command: null });
    expect(await command(environment({}))).toEqual({ kind: "code", command: ["run", "it"] });
    expect(await command(environment({ command: ["a"] }))).toEqual({ kind: "code", command: null });
    expect(await command({})).toEqual({ kind: "code", command: null });
  });

  it("of an environment has the seeds of its episodes", async () => {
    const challenge = served({ environment: { gym: "env.py:make" } });
    const session = { input_kind: "session", input_data: null };
    expect(await job(session, challenge, [5, 6])).toMatchObject({
      ...{ seeds: [5, 6], input: { kind: "session", replay: null } },
    });
    expect(await job(session, served(), [5, 6])).not.toHaveProperty("seeds");
  });

  it("of a replay has the log and the seeds of the session that is replayed", async () => {
    const challenge = served({ environment: { gym: "env.py:make" } });
    const log = { key: "a/log", size: 3, sha256: "0d" };
    const input_data = JSON.stringify({ submission: "the-session", log });
    await domain.submit();
    const row = { ...(await domain.row()), ...noCode, function: "replay", input_data };
    const asked: string[] = [];
    const replay = createJob(row, 1, challenge, (_, { id: of }) => {
      asked.push(of);
      return [7];
    });
    expect(replay).toMatchObject({ input: { kind: "session", replay: log }, seeds: [7] });
    expect(asked).toEqual(["the-session"]);
  });
});
