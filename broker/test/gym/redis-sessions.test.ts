import type { Receipt, SessionAnswer, Submission } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { connectionsTo } from "@crowdai/shared/queue/redis";
import type { StepChannel } from "@crowdai/shared/step-channel";
import { createRedisStepChannel } from "@crowdai/shared/step-channel/redis";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { type RedisBroker, startRedisBroker } from "../support/redis-broker.ts";
import { createToyGrader, environmentChallenge, type ToyGrader } from "../support/toy-sessions.ts";
import { until } from "../support/until.ts";

describe.skipIf(withoutService("redis"))("a session whose grader is reached over Redis", () => {
  let stage: RedisBroker;
  let toy: ToyGrader;
  let steps: StepChannel;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    stage = await startRedisBroker([environmentChallenge()]);
    steps = createRedisStepChannel({
      redis: connectionsTo(stage.url).connect,
      log: pino({ level: "silent" }),
    });
    toy = createToyGrader();
    stop = toy.run({ queue: stage.queue, steps } as Parameters<ToyGrader["run"]>[0]);
  });
  afterAll(async () => {
    await stop?.();
    await steps?.close();
    await stage?.close();
  });

  it("is played over a socket and over HTTP in turns, and graded", async () => {
    const client = await stage.test.connect();
    const { test } = stage;
    const { instance_id, submission: id } = (await (
      await test.fetch("/v1/envs/", { method: "POST", body: { env_id: "test", token: test.key } })
    ).json()) as { instance_id: string; submission: string };
    const served = toy.next().then((taken) => toy.serve(taken));
    for (let episode = 1; episode <= 2; episode++) {
      const begun = await client.ask<SessionAnswer>("environment:reset", { id, episode });
      expect(begun).toMatchObject({ type: "observation", episode });
      for (let n = 1; n <= 3; n++) {
        const body = { action: 1, episode, n };
        const answer = await test.fetch(`/v1/envs/${instance_id}/step/`, { method: "POST", body });
        expect(await answer.json()).toMatchObject({ reward: 1, done: n === 3 });
      }
    }
    expect(await client.ask("environment:submit", { id })).toEqual({ type: "end" });
    expect((await served).asked).toHaveLength(9);
    const graded = await until(async () => {
      const now = (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
      return now.state === "graded" && now;
    });
    expect(graded).toMatchObject({ score: 3, slot: "charged" });
  });

  it("ends with its error when it is cancelled while the agent waits", async () => {
    const client = await stage.test.connect();
    const id = createSubmissionId();
    await client.ask<Receipt>("environment:create", { id, challenge: "test" });
    await toy.serve(await toy.next(), () => new Promise(() => {}));
    const waiting = client.ask("environment:reset", { id });
    waiting.catch(() => {});
    await client.ask("cancel", { id });
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });
});
