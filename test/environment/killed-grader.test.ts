import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addParticipant } from "../../broker/src/domain/participants/api-keys.ts";
import { openRecords } from "../../broker/src/records/open.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge, type Submission } from "../../cli/src/index.ts";
import { type Fleet, startFleet } from "../../scripts/chaos/fleet.ts";
import type { Daemon } from "../../scripts/services/daemon.ts";
import { withoutService } from "../../scripts/services/programs.ts";
import { allowedMs } from "../allowed-ms.ts";
import { missing } from "../required-programs.ts";
import { writeCountingChallenge } from "./counting-environment.ts";

const absent = missing("python3") || withoutService("redis");

describe.skipIf(absent)("sessions over Redis", { timeout: 120_000 }, () => {
  let folder: string;
  let fleet: Fleet;
  let records: Records;
  let key: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-killed-grader-"));
    const challenges = join(folder, "challenges");
    await writeCountingChallenge(challenges, "count", { args: ["20"] });
    await writeCountingChallenge(challenges, "fickle", { environment: { deterministic: false } });
    fleet = await startFleet({
      ...{ folder, challenges, brokers: 1, graders: 2 },
      ...{ records: "sqlite", s3: false, runtime: process.execPath },
    });
    records = await openRecords({ dataFolder: fleet.data, databaseUrl: undefined });
    key = await addParticipant(records, "ada", new Date().toISOString());
  }, 300_000);
  afterAll(async () => {
    await records?.close();
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const view = async (id: string): Promise<Submission> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await fetch(`${fleet.brokerUrls[0]}/api/v1/submissions/${id}`, { headers })).json() as never;
  };
  const open = async (challenge: string) => {
    const opened = await Challenge.open(challenge, {
      ...{ apiKey: key, broker: fleet.brokerUrls[0]!, lostAfterMs: 60_000 },
    });
    return { opened, env: await opened.environment<number[], number[]>() };
  };
  /** Kills the grader of a session. Returns a function that starts it again. */
  async function killGraderOf(id: string): Promise<() => Promise<void>> {
    const found = await graderOf(id);
    await found.kill("SIGKILL");
    return () => found.restart();
  }
  async function graderOf(id: string): Promise<Daemon> {
    const name = await until(async () => (await grader(id)) ?? false, 30_000);
    const found = fleet.grader.find(({ pid }) => name.endsWith(`-${pid}`));
    if (!found) throw new Error(`no grader is ${name}`);
    return found;
  }
  const grader = async (id: string): Promise<string | undefined> => {
    const attempt = await records.db
      .selectFrom("attempts")
      .select("grader")
      .where("submission", "=", id)
      .orderBy("number", "desc")
      .executeTakeFirst();
    return attempt?.grader ?? undefined;
  };

  /** Plays to the end with actions that grow; `at` is done once, in the middle of the second episode. */
  async function play(challenge: string, at: (id: string) => Promise<unknown>) {
    const { opened, env } = await open(challenge);
    let slowest = 0;
    let doing: Promise<unknown> | null = null;
    for (let observation = await env.reset(); observation; observation = await env.reset()) {
      const [seed] = observation;
      for (let done = false; !done; ) {
        const began = performance.now();
        const step = await env.step([env.steps / 100, 0]);
        slowest = Math.max(slowest, performance.now() - began);
        expect(step.observation).toEqual([seed, env.steps, expect.any(Number)]);
        done = step.done;
        if (env.episode === 2 && env.steps === 7) doing ??= at(env.id);
      }
    }
    await doing;
    const { score } = await env.submit();
    await opened.close();
    return { score, slowest, submission: await view(env.id) };
  }

  it("continue elsewhere when the grader is killed, with the same returns", async () => {
    let restart = async () => {};
    const { score, slowest, submission } = await play("count", async (id) => {
      restart = await killGraderOf(id);
    });
    expect(score).toBeCloseTo(1.9, 9);
    expect(submission).toMatchObject({ grading_message: "60 steps", environment: { steps: 60, resumed: 1 } });
    if (process.env.CROWDAI_FIGURES) console.log(`resumed after ${(slowest / 1000).toFixed(1)} s`);
    expect(slowest).toBeLessThan(allowedMs(15_000));
    await restart();
  });

  it("continue elsewhere when the grader is frozen, whatever it answers when it is thawed", async () => {
    const { score, submission } = await play("count", async (id) => {
      const frozen = await graderOf(id);
      await frozen.kill("SIGSTOP");
      const name = await grader(id);
      // It thaws when the other one takes over.
      await until(async () => (await grader(id)) !== name, 60_000);
      await frozen.kill("SIGCONT");
    });
    expect(score).toBeCloseTo(1.9, 9);
    expect(submission).toMatchObject({ grading_message: "60 steps", environment: { steps: 60, resumed: 1 } });
  });

  it("continue after a restart of Redis", async () => {
    const { score, submission } = await play("count", () => fleet.redis[0]!.restart());
    expect(score).toBeCloseTo(1.9, 9);
    expect(submission).toMatchObject({ state: "graded", grading_message: "60 steps" });
  });

  it("continue after the broker was killed", async () => {
    const { score, submission } = await play("count", async () => {
      await fleet.broker[0]!.kill("SIGKILL");
      await fleet.broker[0]!.restart();
    });
    expect(score).toBeCloseTo(1.9, 9);
    expect(submission).toMatchObject({ grading_message: "60 steps", environment: { steps: 60, resumed: 0 } });
  });

  it("that cannot be repeated are lost with their grader, and their slots come back", async () => {
    const { opened, env } = await open("fickle");
    await env.reset();
    await env.step([1, 0]);
    const restart = await killGraderOf(env.id);
    await expect(env.step([1, 0])).rejects.toMatchObject({ code: "session_lost" });
    expect(await view(env.id)).toMatchObject({
      ...{ state: "failed", slot: "returned" },
      error: { code: "session_lost", fault: "platform" },
    });
    await restart();
    await opened.close();
  });
});
