import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenge } from "../../cli/src/index.ts";
import { missing } from "../required-programs.ts";
import { type HostingBroker, hostEnvironments } from "./hosting-broker.ts";

describe.skipIf(missing("python3"))("a broker that is killed in mid-episode", () => {
  let hosting: HostingBroker;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments(() => ({
      count: { args: ["20"] },
      fickle: { environment: { deterministic: false } },
    }));
    key = await hosting.join();
  });
  afterAll(() => hosting?.close());

  async function killAndRestart(): Promise<void> {
    const ended = once(hosting.broker.process, "exit");
    hosting.broker.process.kill("SIGKILL");
    await ended;
    await hosting.restart();
  }
  const open = async (challenge: string) => {
    const opened = await Challenge.open(challenge, { apiKey: key, broker: hosting.url, lostAfterMs: 60_000 });
    return { opened, env: await opened.environment<number[], number[]>() };
  };

  it("continues the session with the same returns, and gives back what cannot be continued", async () => {
    const [{ opened, env }, other] = [await open("count"), await open("fickle")];
    await other.env.reset();
    await other.env.step([1, 0]);
    let seed = 0;
    let restarting: Promise<void> | null = null;
    for (let observation = await env.reset(); observation; observation = await env.reset()) {
      seed = observation[0]!;
      for (let done = false; !done; ) {
        const step = await env.step([env.steps / 100, 0]);
        expect(step.observation).toEqual([seed, env.steps, expect.any(Number)]);
        done = step.done;
        if (env.episode === 2 && env.steps === 7 && !restarting) restarting = killAndRestart();
      }
    }
    const { score } = await env.submit();
    // 0 + 1 + … + 19 hundredths.
    expect(score).toBeCloseTo(1.9, 9);
    const submission = await hosting.view(env.id, key);
    expect(submission).toMatchObject({ state: "graded", environment: { steps: 60, resumed: 1 } });
    expect(submission.grading_message).toBe("60 steps");

    expect(await hosting.ended(other.env.id, key)).toMatchObject({
      ...{ state: "failed", slot: "returned" },
      error: { code: "session_lost", fault: "platform" },
    });
    await expect(other.env.step([1, 0])).rejects.toMatchObject({ code: "session_lost" });
    await opened.close();
    await other.opened.close();
  });
});
