import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Leaderboard, Submission } from "@crowdai/shared";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

/**
 * The data folder that a broker of 0.1.0 left behind: of challenge "double", two graded submissions of grace,
 * and of alan a graded one, a rejected one and one that was running. The key of edsger was revoked.
 */
const DATA = join(import.meta.dirname, "data-0.1.0.tar.gz");
const KEYS = {
  grace: "crowdai_rRvK55EVpHFybOuJhTCCRQgXAfJscnUhrFW6KtjJcAL0WU66R",
  alan: "crowdai_79bJjTfbByWPE4IsjUzHMuOhnLLYV0l27xmV7owmti52RyQRD",
  edsger: "crowdai_a5gWTin9B14vaig2RGTP8DRvF8eO6K2GbWjpY8VXVht0lm190",
};

let test: TestBroker;
beforeAll(async () => {
  test = await startBroker({
    challenges: [{ id: "double" }],
    env: { PATH: process.env.PATH ?? "" },
    prepare: async (folder) => {
      mkdirSync(join(folder, "data"), { mode: 0o700 });
      execFileSync("tar", ["-xzf", DATA, "-C", join(folder, "data")]);
    },
  });
});
afterAll(() => test?.close());

const read = async <T>(path: string, key: string) => (await (await test.fetch(path, { key })).json()) as T;
const submissionsOf = async (key: string) =>
  (await read<{ submissions: Submission[] }>("/api/v1/submissions?challenge=double", key)).submissions;
const rowsOf = async () =>
  (await read<Leaderboard>("/api/v1/challenges/double/leaderboard", KEYS.grace)).rows.map(
    ({ rank, participant, score }) => [rank, participant, score],
  );

it("grades what was running when 0.1.0 stopped, and shows the board of then with it", async () => {
  await until(async () => (await rowsOf())[1]?.[2] === 0.625);
  expect(await rowsOf()).toEqual([
    [1, "grace", 0.75],
    [2, "alan", 0.625],
  ]);
});

it("shows the submissions of 0.1.0 to their participants", async () => {
  const graded = await submissionsOf(KEYS.grace);
  expect(graded.map(({ state, score, grading_message }) => [state, score, grading_message])).toEqual([
    ["graded", 0.75, "well done"],
    ["graded", 0.25, "well done"],
  ]);
  const [, failed] = await submissionsOf(KEYS.alan);
  expect(failed).toMatchObject({ state: "failed", error: { code: "rejected", message: "no such row" } });
});

it("accepts the keys of 0.1.0, but no revoked one, and takes submissions with them", async () => {
  expect((await test.fetch("/api/v1/submissions", { key: KEYS.edsger })).status).toBe(401);
  const client = await test.connect({ key: KEYS.grace, challenge: "double" });
  await client.submit({ challenge: "double", input: { kind: "inline", data: { score: 0.875 } } });
  await until(async () => (await rowsOf())[0]?.[2] === 0.875);
});
