import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenge } from "../../cli/src/index.ts";
import { root } from "../../scripts/lib/root.ts";
import { missing } from "../required-programs.ts";
import { type HostileProxy, startHostileProxy } from "../uploads/hostile-proxy.ts";
import { type HostingBroker, hostEnvironments } from "./hosting-broker.ts";

const ALL_CUTS = Number(process.env.CROWDAI_CUTS ?? 60);
/**
 * Of one session. A client waits before it connects again, so many cuts are divided among sessions that run
 * at the same time.
 */
const CUTS = Math.min(ALL_CUTS, 125);
const SESSIONS = Math.ceil(ALL_CUTS / CUTS);
const EPISODES = 3;
/** Steps of an episode, so that connections are cut in every other step. */
const LENGTH = Math.ceil((2 * CUTS) / EPISODES) + 1;
const STEPS = EPISODES * LENGTH;

describe.skipIf(missing("python3"))("a session whose connections are cut at random steps", () => {
  let hosting: HostingBroker;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments(() => ({ count: { args: [String(LENGTH)] } }));
    key = await hosting.join();
  });
  afterAll(() => hosting?.close());

  /**
   * Plays the sessions, each through a proxy of its own. Compares the steps that were answered with those
   * that were done.
   */
  async function playAll(name: string, play: (proxy: HostileProxy, nr: number) => Promise<Played>) {
    const playOne = async (_: unknown, nr: number) => {
      const proxy = await startHostileProxy();
      proxy.target = Number(new URL(hosting.url).port);
      const { id, answered } = await play(proxy, nr).finally(proxy.close);
      const { state, grading_message, environment } = await hosting.view(id, key);
      expect(state).toBe("graded");
      const done = Number.parseInt(grading_message ?? "", 10);
      expect(environment).toMatchObject({ steps: STEPS, invalid_actions: 0, resumed: 0 });
      return { cuts: proxy.cuts, answered, done };
    };
    const all = await Promise.all(Array.from({ length: SESSIONS }, playOne));
    const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
    const lost = sum(({ answered, done }) => Math.max(0, answered - done));
    const twice = sum(({ answered, done }) => Math.max(0, done - answered));
    if (process.env.CROWDAI_FIGURES)
      console.log(
        `${name}: ${SESSIONS} sessions, ${sum(({ cuts }) => cuts)} cuts, ${sum(({ answered }) => answered)} steps, ${lost} lost, ${twice} done twice`,
      );
    expect(all.map(({ answered }) => answered)).toEqual(all.map(() => STEPS));
    expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
  }

  /**
   * Cuts all connections at every other step: before its request has come, while it is done, or after its
   * answer.
   */
  function cutSometimes(proxy: HostileProxy, n: number): void {
    if (n % 2 === 0 && proxy.cuts < CUTS) setTimeout(proxy.cut, Math.random() * 5);
  }

  it("over socket.io loses no step, and does none twice", { timeout: 600_000 }, () =>
    playAll("socket.io", async (proxy) => {
      const challenge = await Challenge.open("count", { apiKey: key, broker: proxy.url });
      const env = await challenge.environment<number[], number[]>();
      const rewards: number[] = [];
      for (let observation = await env.reset(); observation; observation = await env.reset()) {
        expect(observation[1]).toBe(0);
        for (let n = 1, done = false; !done; n++) {
          cutSometimes(proxy, n);
          const action = n / 1000;
          const step = await env.step([action, 0]);
          expect(step.observation[1]).toBe(n);
          expect(step.reward).toBe(action);
          rewards.push(step.reward);
          done = step.done;
        }
      }
      const { score } = await env.submit();
      const sum = rewards.reduce((all, one) => all + one, 0);
      expect(score).toBeCloseTo(sum / EPISODES, 9);
      await challenge.close();
      return { id: env.id, answered: rewards.length };
    }),
  );

  it("of crowdai_agent.py loses no step, and does none twice", { timeout: 600_000 }, () => {
    const agent = `
from crowdai_agent import connect
env = connect()
steps = 0
observation = env.reset()
while observation is not None:
    n = int(observation[1]) + 1
    observation, reward, terminated, truncated, info = env.step([n / 1000, 0])
    assert observation[1] == n and reward == n / 1000, (observation, n)
    steps += 1
    if terminated or truncated:
        observation = env.reset()
env.submit()
print(steps)
`;
    return playAll("crowdai_agent.py", async (proxy, nr) => {
      const id = `python${nr}x${Date.now()}`;
      const cutting = setInterval(() => proxy.cuts < CUTS / 2 && proxy.cut(), 150);
      const { stdout, stderr } = await promisify(execFile)("python3", ["-c", agent], {
        env: {
          ...process.env,
          ...{ PYTHONPATH: join(root, "grader/src/environment/agent"), CROWDAI_BROKER: proxy.url },
          ...{ CROWDAI_API_KEY: key, CROWDAI_CHALLENGE: "count", CROWDAI_SUBMISSION: id },
        },
      }).finally(() => clearInterval(cutting));
      expect(stderr).toBe("");
      expect(proxy.cuts).toBeGreaterThan(0);
      return { id, answered: Number(stdout) };
    });
  });

  it("over HTTP loses no step, and does none twice", { timeout: 600_000 }, () =>
    playAll("HTTP", async (proxy, nr) => {
      const id = `http${nr}x${Date.now()}`;
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
      let answered = 0;
      for (let episode = 1; episode <= EPISODES; episode++) {
        await post(`${instance_id}/reset/`, { episode });
        for (let n = 1, done = false; !done; n++) {
          cutSometimes(proxy, n);
          const step = await post(`${instance_id}/step/`, { episode, n, action: [n / 1000, 0] });
          expect(step.observation[1]).toBe(n);
          answered++;
          done = step.done;
        }
      }
      await post(`${instance_id}/monitor/close/`, null, hosting.url);
      return { id, answered };
    }),
  );
});

interface Played {
  id: string;
  /** Steps that the agent has an answer for. */
  answered: number;
}
