import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Receipt, SessionAnswer, Submission } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WALK } from "../../../grader/src/testing/environments.ts";
import { startRegrade } from "../../src/domain/regrade/start-regrade.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

describe("a session that the broker's own grader serves", () => {
  let test: TestBroker;
  beforeAll(async () => {
    const environment = {
      agents: ["remote"],
      seeds: { count: 2 },
      limits: { steps: 100, env_step_seconds: 30 },
    };
    test = await startBroker({
      challenges: [{ id: "test", evaluator: { gym: "env.py:make", timeout_seconds: 20 }, environment }],
      prepare: (folder) => writeFile(join(folder, "challenges/test/env.py"), WALK),
    });
  });
  afterAll(() => test?.close());

  const view = async (id: string) =>
    (await (await test.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
  const graded = (id: string) =>
    until(async () => {
      const now = await view(id);
      expect(now.error).toBeNull();
      return now.state === "graded" && now;
    });
  async function post<T>(path: string, body: unknown = null): Promise<T> {
    const answer = await test.fetch(path, { method: "POST", body });
    const value = (await answer.json()) as T & { message?: string };
    if (!answer.ok) throw new Error(value.message ?? JSON.stringify(value));
    return value;
  }

  /**
   * Walks upwards until the session has no more episodes. Returns the sum of all rewards, and what was seen.
   */
  async function walk(ask: (type: string, more: object) => Promise<SessionAnswer>) {
    const seen: unknown[] = [];
    let sum = 0;
    for (let episode = 1; ; episode++) {
      const begun = await ask("reset", { episode });
      if (begun.type === "end") break;
      seen.push(begun);
      for (let n = 1; ; n++) {
        const step = await ask("step", { episode, n, action: 1 });
        if (step.type !== "step") throw new Error(JSON.stringify(step));
        seen.push(step);
        sum += step.reward;
        if (step.terminated) break;
      }
    }
    return { sum, seen };
  }

  it("is played over a socket, replayed by its participant, and graded again", async () => {
    const client = await test.connect();
    const id = createSubmissionId();
    await client.ask<Receipt>("environment:create", { id, challenge: "test" });
    const { sum, seen } = await walk((type, more) => client.ask(`environment:${type}`, { id, ...more }));
    expect(await client.ask("environment:submit", { id })).toEqual({ type: "end" });
    const first = await graded(id);
    expect(first).toMatchObject({
      ...{ score: sum / 2, slot: "charged", environment: { agent: "remote", steps: seen.length - 2 } },
      artifacts: [{ name: "steps.ndjson.gz" }],
    });
    const items = [{ id: createSubmissionId(), data: { submission: id } }];
    await client.ask("call", { challenge: "test", function: "replay", items });
    expect(await graded(items[0]!.id)).toMatchObject({
      ...{ score: sum / 2, slot: "none", environment: { agent: "replay", steps: seen.length - 2 } },
    });
    await startRegrade(test.records, "test", new Date());
    await until(async () => (await view(id)).regraded);
    expect(await view(id)).toMatchObject({ score: sum / 2, artifacts: [{ name: "steps.ndjson.gz" }] });
  });

  it("goes on where it was when the broker is restarted in mid-episode", async () => {
    const { instance_id, submission } = await post<{ instance_id: string; submission: string }>("/v1/envs/", {
      env_id: "test",
      token: test.key,
    });
    let steps = 0;
    const { sum } = await walk(async (type, more) => {
      if (type === "step" && ++steps === 3) {
        const began = performance.now();
        await test.restart();
        // Not after the time that other jobs have to finish.
        expect(performance.now() - began).toBeLessThan(8000);
      }
      const answer = await post<{ observation: unknown } & SessionAnswer>(
        `/v1/envs/${instance_id}/${type}/`,
        more,
      );
      if (answer.observation === null) return { type: "end" };
      // A client that lost the answer repeats the request.
      expect(await post(`/v1/envs/${instance_id}/${type}/`, more)).toEqual(answer);
      return { ...answer, type: type === "reset" ? "observation" : "step" } as SessionAnswer;
    });
    expect(await post(`/v1/envs/${instance_id}/monitor/close/`)).toEqual({ reward: sum / 2 });
    expect((await view(submission)).environment).toMatchObject({ resumed: 1, steps });
  });
});
