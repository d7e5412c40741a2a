import { CrowdaiError } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ENVIRONMENT } from "../../test/contract-environment.ts";
import { failure, useLibrary } from "../../test/library.ts";
import type { Environment, EnvironmentOptions, OpenOptions, Progress } from "../index.ts";

const library = useLibrary();
beforeEach(() => {
  library.broker.challenge.environment = ENVIRONMENT;
});
afterEach(() => vi.unstubAllEnvs());

const opened = async (options: EnvironmentOptions & OpenOptions = {}) =>
  (await library.open(options)).environment<number[], unknown>(options);
const played = (id: string) => library.broker.environments.get(id)!;
const asked = (what: string) => library.broker.received.filter((message) => message.what.includes(what));

/** Plays all episodes with an action of 0.5. */
async function play(env: Environment<number[]>): Promise<void> {
  while ((await env.reset()) !== null) while (!(await env.step([0.5])).done);
}
const ALL = [1, 2].flatMap((e) => [`reset ${e}`, ...[1, 2, 3].map((n) => `step ${e}.${n} [0.5]`)]);

describe.each(["socket", "http"] as const)("a session over %s", (transport) => {
  it("plays all episodes and is graded as a submission", async () => {
    await using env = await opened({ transport, id: "session-1", message: "PPO", round: 1 });
    expect(env).toMatchObject({ id: "session-1", episode: 0, steps: 0 });
    expect(await env.hello()).toMatchObject({ episodes: 2, spaces: { action: { name: "Box" } } });
    expect(await env.reset()).toEqual([1, 0, 0.1]);
    expect(env).toMatchObject({ episode: 1, steps: 0, info: { lives: 3 } });
    expect(await env.step([0.25])).toEqual({
      observation: [1, 1, 0.1],
      reward: 0.25,
      terminated: false,
      truncated: false,
      done: false,
      info: { n: 1 },
    });
    await env.step(0.25);
    expect(await env.step(1)).toMatchObject({ terminated: true, done: true });
    await play(env);
    expect(await env.submit()).toMatchObject({
      id: "session-1",
      state: "graded",
      score: 1.5,
      message: "PPO",
    });
  });

  it("continues after lost answers and restarts of the broker, and does no step twice", async () => {
    let count = 0;
    library.broker.intercept = (what, message) => {
      if (!/(reset|step|submit)$/.test(what) || count++ % 4 !== 1) return false;
      // It is done, and the connection is cut before the answer.
      played("session-2").answer({ ...(message as object), type: what.split(/[:/]/).at(-1) } as never);
      setImmediate(async () => {
        await library.broker.stop();
        await library.broker.start();
      });
      return true;
    };
    await using env = await opened({ transport, id: "session-2" });
    await play(env);
    expect((await env.submit()).score).toBe(1.5);
    expect(played("session-2").done).toEqual(ALL);
  });
});

describe("a session", () => {
  it("reports its queue position while it waits", async () => {
    const progress: Progress[] = [];
    await using env = await opened({ onProgress: (one) => progress.push(one) });
    played(env.id).waiting = { type: "waiting", place: 4, reason: "all graders are busy" };
    const resetting = env.reset();
    await vi.waitFor(() => expect(progress.at(-1)).toMatchObject({ stage: "waiting", place: 4 }));
    await vi.waitFor(() => expect(asked("environment:reset").length).toBeGreaterThan(1));
    expect(progress.filter((one) => one.stage === "waiting" && one.place === 4)).toHaveLength(1);
    played(env.id).waiting = null;
    expect(await resetting).toEqual([1, 0, 0.1]);
    await vi.waitFor(() =>
      expect(progress.at(-1)).toMatchObject({ stage: "grading", step: "play", message: /Episode 1 of 2/ }),
    );
  });

  it("sends typed arrays as arrays, BigInts as integers, and the action as it was", async () => {
    await using env = await opened();
    await env.reset();
    const action = new Float32Array([0.5, 1]);
    const stepping = env.step(action);
    action[0] = 9;
    await stepping;
    await env.step([1, 12n]);
    expect(played(env.id).done.slice(1)).toEqual(["step 1.1 [0.5,1]", "step 1.2 [1,12]"]);
  });

  it("sends one request after the other", async () => {
    await using env = await opened();
    const answers = await Promise.all([env.reset(), env.step(1), env.step(2)]);
    expect(answers[2]).toMatchObject({ observation: [1, 2, 0.1], reward: 2 });
  });

  it("refuses an action that JSON cannot represent, or that is too large, before it is sent", async () => {
    await using env = await opened();
    await env.reset();
    expect(() => env.step([Number.NaN])).toThrow(expect.objectContaining({ code: "value_not_finite" }));
    expect(() => env.step("x".repeat(1_000_000))).toThrow(
      expect.objectContaining({ code: "value_too_large" }),
    );
    expect(asked("environment:step")).toEqual([]);
  });

  it("goes on after a refused request", async () => {
    await using env = await opened();
    expect(await failure(env.step(1))).toMatchObject({
      code: "agent_request",
      message: "There was a step before the first reset.",
    });
    await env.reset();
    expect(await failure(env.step("left"))).toMatchObject({
      code: "agent_request",
      message: "Expected a number.",
      details: { reason: "action_invalid", episode: 1, n: 1 },
    });
    expect(await failure(env.submit())).toMatchObject({ code: "agent_request" });
    for (const _ of [1, 2, 3]) await env.step(1);
    expect(await failure(env.step(1))).toMatchObject({
      message: "There was a step after the end of episode 1.",
    });
  });

  it("ends with the error of its submission", async () => {
    await using env = await opened();
    await env.reset();
    const error = new CrowdaiError("env_crashed", "The environment exited with code 1.").toBody();
    library.broker.finish(env.id, { state: "failed", error });
    expect(await failure(env.step(1))).toMatchObject({ code: "env_crashed", message: error.message });
  });

  it("is cancelled when it is left before its end, and submitted after it", async () => {
    await using challenge = await library.open();
    let id = "";
    {
      await using env = await challenge.environment();
      id = env.id;
      await env.reset();
    }
    expect(library.broker.kept.get(id)!.submission.state).toBe("cancelled");
    const env = await challenge.environment();
    await play(env as Environment<number[]>);
    await env.close();
    expect(played(env.id).submitted).toBe(true);
    expect(await failure(env.reset())).toMatchObject({ code: "interrupted" });
  });

  it("ends its calls when the signal is aborted", async () => {
    const stop = new AbortController();
    const env = await opened({ signal: stop.signal });
    played(env.id).waiting = { type: "waiting", place: 1, reason: null };
    const resetting = env.reset();
    setImmediate(() => stop.abort());
    expect(await failure(resetting)).toMatchObject({ code: "interrupted" });
    expect(await failure(env.step(1))).toMatchObject({ code: "interrupted" });
  });

  it("is refused by a challenge without an environment, or for code only", async () => {
    library.broker.challenge.environment = { ...ENVIRONMENT, agents: ["code"] };
    expect(await failure(opened())).toMatchObject({ code: "kind_not_accepted", next: /--code/ });
    library.broker.challenge.environment = null;
    expect(await failure(opened())).toMatchObject({ code: "kind_not_accepted" });
    expect(library.broker.kept.size).toBe(0);
  });
});

it("a program that was started with CROWDAI_ variables joins the registered session, once", async () => {
  vi.stubEnv("CROWDAI_CHALLENGE", "iris");
  vi.stubEnv("CROWDAI_SUBMISSION", "registered-1");
  vi.stubEnv("CROWDAI_BROKER", library.broker.url);
  vi.stubEnv("CROWDAI_API_KEY", library.broker.key);
  const { Challenge } = await import("../index.ts");
  await using challenge = await Challenge.open();
  await using env = await challenge.environment();
  expect(env.id).toBe("registered-1");
  await using other = await challenge.environment();
  expect(other.id).not.toBe("registered-1");
});
