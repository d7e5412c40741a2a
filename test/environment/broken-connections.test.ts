import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenge } from "../../cli/src/index.ts";
import { root } from "../../scripts/lib/root.ts";
import { missing } from "../required-programs.ts";
import { type HostileProxy, startHostileProxy } from "../uploads/hostile-proxy.ts";
import { type HostingBroker, hostEnvironments } from "./hosting-broker.ts";

// The full number takes minutes.
const CUTS = Number(process.env.CROWDAI_CUTS ?? 60);
const EPISODES = 3;
/** Steps of an episode, so that connections are cut in every other step. */
const LENGTH = Math.ceil((2 * CUTS) / EPISODES) + 1;

describe.skipIf(missing("python3"))("a session whose connections are cut at random steps", () => {
  let hosting: HostingBroker;
  let proxy: HostileProxy;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments(() => ({ count: { args: [String(LENGTH)] } }));
    proxy = await startHostileProxy();
    proxy.target = Number(new URL(hosting.url).port);
    key = await hosting.join();
  });
  afterAll(async () => {
    await proxy?.close();
    await hosting?.close();
  });

  /** Cuts all connections at every other step: before its request has come, while it is done, or after its answer. */
  function cutSometimes(n: number): void {
    if (n % 2 === 0 && proxy.cuts < CUTS) setTimeout(proxy.cut, Math.random() * 5);
  }

  it("over socket.io loses no step, and does none twice", { timeout: 600_000 }, async () => {
    proxy.calm();
    const challenge = await Challenge.open("count", { apiKey: key, broker: proxy.url });
    const env = await challenge.environment<number[], number[]>();
    const rewards: number[] = [];
    for (let observation = await env.reset(); observation; observation = await env.reset()) {
      expect(observation[1]).toBe(0);
      for (let n = 1, done = false; !done; n++) {
        cutSometimes(n);
        const action = n / 1000;
        const step = await env.step([action, 0]);
        expect(step.observation[1]).toBe(n);
        expect(step.reward).toBe(action);
        rewards.push(step.reward);
        done = step.done;
      }
    }
    const grade = await env.submit();
    const { grading_message, environment } = await hosting.view(env.id, key);
    const sum = rewards.reduce((all, one) => all + one, 0);
    expect(rewards).toHaveLength(EPISODES * LENGTH);
    expect(grading_message).toBe(`${EPISODES * LENGTH} steps`);
    expect(environment).toMatchObject({ steps: EPISODES * LENGTH, invalid_actions: 0, resumed: 0 });
    expect(grade.score).toBeCloseTo(sum / EPISODES, 9);
    if (process.env.CROWDAI_FIGURES) console.log(`socket.io: ${proxy.cuts} cuts, ${rewards.length} steps`);
    await challenge.close();
  });

  it("of crowdai_agent.py loses no step, and does none twice", { timeout: 600_000 }, async () => {
    proxy.calm();
    const agent = `
from crowdai_agent import connect
env = connect()
steps = 0
observation = env.reset()
while observation is not None:
    n = int(observation[1]) + 1
    observation, reward, terminated, truncated, info = env.step([n / 1000, 0])
    assert observation[1] == n and reward == n / 1000, (observation, n)
    if terminated or truncated:
        observation = env.reset()
env.submit()
`;
    const id = `python${Date.now()}`;
    const cutting = setInterval(() => proxy.cuts < CUTS / 2 && proxy.cut(), 150);
    const { stderr } = await promisify(execFile)("python3", ["-c", agent], {
      env: {
        ...process.env,
        ...{ PYTHONPATH: join(root, "grader/src/environment/agent"), CROWDAI_BROKER: proxy.url },
        ...{ CROWDAI_API_KEY: key, CROWDAI_CHALLENGE: "count", CROWDAI_SUBMISSION: id },
      },
    }).finally(() => clearInterval(cutting));
    expect(stderr).toBe("");
    const steps = EPISODES * LENGTH;
    expect(await hosting.view(id, key)).toMatchObject({
      ...{ state: "graded", grading_message: `${steps} steps` },
      environment: { steps, invalid_actions: 0 },
    });
    expect(proxy.cuts).toBeGreaterThan(0);
  });

  it("over HTTP loses no step, and does none twice", { timeout: 600_000 }, async () => {
    proxy.calm();
    const id = `http${Date.now()}`;
    const post = async (path: string, body: unknown, to = proxy.url) => {
      for (;;)
        try {
          const answer = await fetch(`${to}/v1/envs/${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          });
          const read = JSON.parse(await answer.text());
          if (!answer.ok) throw new Error(read.message, { cause: "refused" });
          return read;
        } catch (error) {
          if ((error as Error).cause === "refused") throw error;
        }
    };
    const { instance_id } = await post("", { env_id: "count", token: key, submission: id }, hosting.url);
    let steps = 0;
    for (let episode = 1; episode <= EPISODES; episode++) {
      await post(`${instance_id}/reset/`, { episode });
      for (let n = 1, done = false; !done; n++) {
        cutSometimes(n);
        const step = await post(`${instance_id}/step/`, { episode, n, action: [n / 1000, 0] });
        expect(step.observation[1]).toBe(n);
        steps++;
        done = step.done;
      }
    }
    await post(`${instance_id}/monitor/close/`, null, hosting.url);
    expect(await hosting.view(id, key)).toMatchObject({
      ...{ state: "graded", grading_message: `${steps} steps` },
      environment: { steps, invalid_actions: 0, resumed: 0 },
    });
    expect(steps).toBe(EPISODES * LENGTH);
    if (process.env.CROWDAI_FIGURES) console.log(`HTTP: ${proxy.cuts} cuts, ${steps} steps`);
  });
});
