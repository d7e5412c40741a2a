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
import { startHostileProxy } from "../uploads/hostile-proxy.ts";
import { writeCountingChallenge } from "./counting-environment.ts";

const absent = missing("python3") || withoutService("redis") || withoutService("postgres");

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
      ...{ folder, challenges, brokers: 2, graders: 2 },
      ...{ records: "postgres", s3: false, runtime: process.execPath },
    });
    records = await openRecords({ dataFolder: fleet.data, databaseUrl: fleet.databaseUrl });
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
  const open = async (challenge: string, broker = fleet.brokerUrls[0]!) => {
    const opened = await Challenge.open(challenge, { apiKey: key, broker, lostAfterMs: 60_000 });
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
  async function play(challenge: string, at: (id: string) => Promise<unknown>, broker?: string) {
    const { opened, env } = await open(challenge, broker);
    let slowest = 0;
    const length = challenge === "count" ? 20 : 5;
    let doing: Promise<unknown> | null = null;
    for (let observation = await env.reset(); observation; observation = await env.reset()) {
      const [seed] = observation;
      for (let done = false; !done; ) {
        const began = performance.now();
        const step = await env.step([env.steps / 100, 0]);
        slowest = Math.max(slowest, performance.now() - began);
        expect(step.observation).toEqual([seed, env.steps, expect.any(Number)]);
        done = step.done;
        if (env.episode === 2 && env.steps === Math.min(7, length - 1)) doing ??= at(env.id);
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

  it("continue after Redis was killed, whatever the environment is", async () => {
    for (const challenge of ["count", "fickle"]) {
      const { score, submission } = await play(challenge, async () => {
        await fleet.redis[0]!.kill("SIGKILL");
        await fleet.redis[0]!.restart();
      });
      expect(score).toBeCloseTo(challenge === "count" ? 1.9 : 0.1, 9);
      expect(submission).toMatchObject({ state: "graded", environment: { resumed: 0 }, slot: "charged" });
    }
  });

  it("continue at another broker, where the connection is made again", async () => {
    const proxy = await startHostileProxy();
    const portOf = (index: number) => Number(new URL(fleet.brokerUrls[index]!).port);
    proxy.target = portOf(0);
    const { score, submission } = await play(
      "count",
      async () => {
        proxy.target = portOf(1);
        proxy.cut();
      },
      proxy.url,
    );
    await proxy.close();
    expect(score).toBeCloseTo(1.9, 9);
    expect(submission).toMatchObject({ grading_message: "60 steps", environment: { steps: 60, resumed: 0 } });
  });

  it("are played over HTTP at two brokers in turns, which answer a repeated request as the other did", async () => {
    let sent = 0;
    const post = async (path: string, body: unknown = null, at = sent++) => {
      const answer = await fetch(`${fleet.brokerUrls[at % 2]}/v1/envs/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return JSON.parse(text);
    };
    const { instance_id, submission } = await post("", { env_id: "count", token: key });
    for (let episode = 1; episode <= 3; episode++) {
      await post(`${instance_id}/reset/`, { episode });
      for (let n = 1; n <= 20; n++) {
        const step = { episode, n, action: [n / 100, 0] };
        const answer = await post(`${instance_id}/step/`, step);
        expect(answer).toMatchObject({ episode, n, reward: n / 100 });
        if (n % 5 === 0) expect(await post(`${instance_id}/step/`, step)).toEqual(answer);
      }
    }
    expect(await post(`${instance_id}/monitor/close/`)).toEqual({ reward: expect.closeTo(2.1, 9) });
    expect(await view(submission)).toMatchObject({
      grading_message: "60 steps",
      environment: { steps: 60, invalid_actions: 0, resumed: 0 },
    });
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
