import { MAX_STEP_BYTES } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { createReferee, MAX_ERRORS, type Outcome, type RefereeOptions } from "./referee.ts";

const LIMITS = {
  ...{ steps: 3, step_seconds: 1, bank_seconds: 2, reset_seconds: 60, env_step_seconds: 30 },
  ...{ episode_seconds: 100, idle_seconds: 10 },
};

/** A referee of two episodes of at most three steps, with a clock that the test moves. */
function start(options: Partial<RefereeOptions> = {}) {
  let clock = 1000;
  const referee = createReferee({
    spaces: { action: { name: "Discrete", n: 2 }, observation: { name: "Any" } },
    ...{ episodes: 2, limits: LIMITS, agent: "code", rewardVisible: true, now: () => clock },
    ...options,
  });
  const outcome = (more: Partial<Outcome> = {}): Outcome => ({
    ...{
      observation: [clock],
      text: `[${clock}]`,
      reward: 0.5,
      terminated: false,
      truncated: false,
      info: {},
    },
    ...more,
  });
  return {
    referee,
    wait: (seconds: number) => {
      clock += seconds * 1000;
    },
    ask: (request: unknown) => referee.request(request),
    reset() {
      const move = referee.request({ type: "reset" });
      expect(move.kind).toBe("reset");
      return referee.observed({ observation: [clock], text: `[${clock}]`, info: { a: 1 } });
    },
    step(more: Partial<Outcome> = {}) {
      const move = referee.request({ type: "step", action: 1 });
      if (move.kind !== "step") throw new Error(JSON.stringify(move));
      return referee.stepped(move, outcome(more));
    },
  };
}

const refused = (code: string) => ({ kind: "answer", answer: { type: "error", code } });

describe("the referee", () => {
  it("says hello at any time, with the clocks that hold for the agent", () => {
    const { ask, reset } = start();
    const hello = { type: "hello", protocol: 1, episodes: 2, spaces: { action: { n: 2 } } };
    expect(ask({ type: "hello" })).toMatchObject({
      kind: "answer",
      answer: { ...hello, limits: { steps: 3, step_seconds: 1, bank_seconds: 2, episode_seconds: 100 } },
    });
    reset();
    expect(ask({ type: "hello" })).toMatchObject({ answer: hello });
    const remote = start({ agent: "remote" }).referee.hello();
    expect(remote.limits).toEqual({ steps: 3, episode_seconds: 100, idle_seconds: 10 });
  });

  it("plays the episodes in order, sums their rewards, and ends", () => {
    const { referee, ask, reset, step } = start();
    expect(reset()).toEqual({ type: "observation", episode: 1, observation: [1000], info: { a: 1 } });
    expect(step()).toMatchObject({ type: "step", episode: 1, n: 1, reward: 0.5, terminated: false });
    expect(step({ reward: 2, terminated: true })).toMatchObject({ n: 2, terminated: true, truncated: false });
    expect(reset()).toMatchObject({ episode: 2 });
    expect(step({ reward: -1, truncated: true })).toMatchObject({ n: 1, truncated: true });
    expect(referee.isDone()).toBe(true);
    expect(referee.meanReturn()).toBe((2.5 - 1) / 2);
    expect(referee.episodes()).toEqual([
      { episode: 1, steps: 2, return: 2.5, ended: "terminated" },
      { episode: 2, steps: 1, return: -1, ended: "truncated" },
    ]);
    expect(ask({ type: "reset" })).toEqual({ kind: "answer", answer: { type: "end" } });
    expect(ask({ type: "submit" })).toEqual({ kind: "finish" });
  });

  it("truncates an episode at the limit of steps", () => {
    const { reset, step, ask } = start();
    reset();
    step();
    expect(step()).toMatchObject({ truncated: false });
    expect(step()).toMatchObject({ n: 3, terminated: false, truncated: true });
    expect(ask({ type: "step", action: 1 })).toMatchObject(refused("episode_over"));
    reset();
    step();
    step();
    expect(step({ terminated: true })).toMatchObject({ n: 3, terminated: true, truncated: false });
  });

  it("hides rewards where they are not visible, and counts them", () => {
    const { referee, reset, step } = start({ rewardVisible: false, episodes: 1 });
    reset();
    expect(step({ reward: 7, terminated: true })).toMatchObject({ reward: 0 });
    expect(referee.meanReturn()).toBe(7);
  });

  it.each<[string, unknown, string]>([
    ["an unknown request", { type: "render" }, "request_unknown"],
    ["a text", "reset", "request_unknown"],
    ["nothing", null, "request_unknown"],
    ["a list", [1], "request_unknown"],
    ["a step before the first reset", { type: "step", action: 1 }, "reset_missing"],
    ["a submit before the first episode", { type: "submit" }, "submit_early"],
    ["a reset of another episode", { type: "reset", episode: 2 }, "episode_wrong"],
  ])("refuses %s", (_, request, code) => {
    const { ask, referee } = start();
    expect(ask(request)).toMatchObject(refused(code));
    expect(referee.hasStarted()).toBe(false);
  });

  it.each<[string, object, string]>([
    ["a reset", { type: "reset" }, "episode_running"],
    ["a reset of the next one", { type: "reset", episode: 2 }, "episode_running"],
    ["a reset of itself after a step", { type: "reset", episode: 1 }, "episode_running"],
    ["a submit", { type: "submit" }, "submit_early"],
    ["a step of another episode", { type: "step", episode: 2, action: 1 }, "episode_wrong"],
    ["a step that is left out", { type: "step", n: 3, action: 1 }, "step_wrong"],
    ["a step that is long past", { type: "step", n: 0, action: 1 }, "step_wrong"],
    ["another action for an answered step", { type: "step", n: 1, action: 0 }, "step_differs"],
    ["an action out of range", { type: "step", action: 2 }, "action_invalid"],
    ["no action", { type: "step" }, "action_invalid"],
    ["a number as a text", { type: "step", action: "1" }, "action_invalid"],
  ])("refuses in an episode %s, which changes nothing", (_, request, code) => {
    const { ask, reset, step, referee } = start();
    reset();
    step();
    expect(ask(request)).toMatchObject(refused(code));
    expect(referee.failure()).toBeNull();
    expect(step()).toMatchObject({ episode: 1, n: 2 });
  });

  it.each([0, 5])("takes a step %s after a reset for a wrong one, whose number was never answered", (n) => {
    const { ask, reset, step } = start();
    reset();
    expect(ask({ type: "step", n, action: 1 })).toEqual({
      kind: "answer",
      answer: { type: "error", code: "step_wrong", message: `the next step is 1, not ${n}` },
    });
    expect(step()).toMatchObject({ n: 1 });
  });

  it("takes an action of a million bytes, and refuses a longer one", () => {
    const spaces = { action: { name: "Text" }, observation: { name: "Any" } } as const;
    const { ask, reset } = start({ spaces, agent: "remote" });
    reset();
    for (const character of ["x", "é", "€"]) {
      const bytes = Buffer.byteLength(character);
      const most = character.repeat(Math.floor((MAX_STEP_BYTES - 2) / bytes));
      expect(ask({ type: "step", action: most }).kind).toBe("step");
      expect(ask({ type: "step", action: most + character })).toMatchObject(refused("action_too_large"));
    }
  });

  it("gives a repeated request the same answer", () => {
    const { ask, reset, step, wait } = start();
    const first = reset();
    wait(0.5);
    expect(ask({ type: "reset", episode: 1 })).toEqual({
      ...{ kind: "answer", answer: first, observation: "[1000]" },
    });
    const second = step();
    for (const request of [{ episode: 1, n: 1 }, { n: 1 }])
      expect(ask({ type: "step", ...request, action: 1 })).toMatchObject({ answer: second });
    const last = step({ terminated: true });
    expect(ask({ type: "step", episode: 1, n: 2, action: 1 })).toMatchObject({ answer: last });
    reset();
    expect(ask({ type: "step", episode: 1, n: 2, action: 1 })).toMatchObject(refused("episode_wrong"));
  });

  it("shows what was asked for, or its beginning", () => {
    const { ask, reset } = start();
    const message = (move: unknown) => (move as { answer: { message: string } }).answer.message;
    expect(message(ask({ type: "reset", episode: "x".repeat(58) }))).toBe(
      `the next episode is 1, not "${"x".repeat(58)}"`,
    );
    expect(message(ask({ type: "reset", episode: "x".repeat(59) }))).toBe(
      `the next episode is 1, not "${"x".repeat(59)} …`,
    );
    reset();
    expect(message(ask({ type: "step", n: 2, action: 1 }))).toBe("the next step is 1, not 2");
    expect(message(ask({ type: "submit" }))).toBe("0 of 2 episodes are finished, and episode 1 is not over");
  });

  it("takes requests that name the episode and the step they are for", () => {
    const { ask, referee, reset, step } = start();
    expect(referee.hasStarted()).toBe(false);
    expect(ask({ type: "reset", episode: 1 })).toEqual({ kind: "reset", episode: 1 });
    reset();
    expect(referee.hasStarted()).toBe(true);
    expect(ask({ type: "step", episode: 1, n: 1, action: 0 })).toMatchObject({ kind: "step", n: 1 });
    step();
    expect(referee.playing()).toMatchObject({ episode: 1, steps: 1 });
    expect(referee.episodes()).toEqual([{ episode: 1, steps: 1, return: 0.5, ended: "unfinished" }]);
    step({ terminated: true });
    expect(referee.playing()).toBeNull();
    expect(referee.hasStarted()).toBe(true);
    expect(referee.isDone()).toBe(false);
    expect(referee.unfinished()).toBe("1 of 2 episodes are finished");
    expect(ask({ type: "step", action: 1 })).toMatchObject({
      answer: { code: "episode_over", message: "episode 1 is over; send reset" },
    });
    expect(ask({ type: "reset", episode: 2 })).toEqual({ kind: "reset", episode: 2 });
    reset();
    expect(referee.isDone()).toBe(false);
    step({ terminated: true });
    expect(ask({ type: "step", action: 1 })).toMatchObject({
      answer: { code: "episode_over", message: "all episodes are over; send submit" },
    });
  });

  it("refuses a second reset that does not say that it is a repeated one", () => {
    const { ask, reset } = start();
    reset();
    for (const episode of [undefined, 2])
      expect(ask({ type: "reset", episode })).toMatchObject(refused("episode_running"));
  });

  it("answers a step again only for the last one", () => {
    const { ask, reset, step } = start();
    reset();
    const first = step();
    step();
    expect(ask({ type: "step", n: 1, action: 1 })).toMatchObject(refused("step_wrong"));
    // Without a number, it is the next step.
    expect(ask({ type: "step", action: 1 })).toMatchObject({ kind: "step", n: 3 });
    expect(first).toMatchObject({ n: 1 });
  });

  it("counts actions that are invalid or too large, and other requests not", () => {
    const spaces = { action: { name: "Text" }, observation: { name: "Any" } } as const;
    const { ask, referee, reset } = start({ spaces, agent: "remote" });
    reset();
    ask({ type: "step", action: 1 });
    ask({ type: "step", action: "x".repeat(MAX_STEP_BYTES) });
    ask({ type: "render" });
    expect(referee.invalidActions()).toBe(2);
  });

  it("lets a client give up that cannot be refused its submit, and says how far it came", () => {
    const { ask, referee, reset, step } = start({ agent: "remote" });
    expect(ask({ type: "submit", early: false })).toMatchObject(refused("submit_early"));
    reset();
    step({ terminated: true });
    reset();
    expect(ask({ type: "submit", early: true })).toEqual({ kind: "finish" });
    expect(referee.failure()).toMatchObject({
      code: "agent_protocol",
      message: "The agent submitted after 1 of 2 episodes (episode 2, step 0).",
    });
    expect(start().ask({ type: "submit", early: true })).toMatchObject(refused("submit_early"));
  });

  it("keeps the first reason why a session ends", () => {
    const { ask, referee, wait } = start({ agent: "remote" });
    for (let i = 0; i < MAX_ERRORS; i++) ask({ type: "render" });
    wait(1000);
    ask({ type: "render" });
    ask({ type: "submit", early: true });
    expect(referee.failure()).toMatchObject({ code: "agent_protocol" });
  });

  it("ends a session after ten invalid requests", () => {
    const { ask, reset, referee } = start();
    reset();
    for (let i = 1; i < MAX_ERRORS; i++) ask({ type: "step", action: 5 });
    expect(referee.failure()).toBeNull();
    referee.invalid("the line is not JSON: x");
    expect(referee.invalidActions()).toBe(MAX_ERRORS - 1);
    expect(referee.failure()).toMatchObject({
      code: "agent_protocol",
      message:
        "The agent sent 10 invalid requests (episode 1, step 0). The last one: the line is not JSON: x.",
    });
  });
});

describe("the clocks of a code agent", () => {
  it("take what is longer than a step from the bank of the episode", () => {
    const { reset, step, wait } = start();
    reset();
    wait(0.9);
    expect(step()).toMatchObject({ bank_ms: 2000 });
    wait(2.5);
    expect(step()).toMatchObject({ bank_ms: 500 });
    wait(1.25);
    expect(step()).toMatchObject({ bank_ms: 250, truncated: true });
    reset();
    expect(step()).toMatchObject({ bank_ms: 2000 });
  });

  it("end the session when the bank is used up", () => {
    const { referee, reset, step, ask, wait } = start();
    reset();
    wait(2.5);
    step();
    expect(referee.deadline()).toBe(1000 + 2500 + 1500);
    wait(1.6);
    ask({ type: "step", action: 1 });
    expect(referee.failure()).toMatchObject({
      code: "agent_timeout",
      message: expect.stringMatching(
        /^The agent took too long \(episode 1, step 1\): it may take 1 s for a step/,
      ),
    });
  });

  it("do not count the time of the environment", () => {
    const { referee, reset, ask, wait } = start();
    reset();
    const move = ask({ type: "step", action: 1 });
    wait(20);
    const late = { observation: 1, text: "1", reward: 0, terminated: false, truncated: false, info: {} };
    expect(referee.stepped(move as never, late)).toMatchObject({ bank_ms: 2000 });
    expect(referee.times()).toEqual({ agentMs: 0, environmentMs: 20_000 });
    expect(referee.deadline()).toBe(21_000 + 3000);
  });

  it("give an agent idle_seconds to load its model, and between episodes", () => {
    const { referee, reset, step, wait } = start();
    const episode = () => {
      reset();
      step({ terminated: true });
    };
    expect(referee.deadline()).toBe(1000 + 10_000);
    wait(9);
    episode();
    expect(referee.deadline()).toBe(10_000 + 10_000);
    expect(referee.late()).toMatchObject({
      message: "The agent took too long (episode 1, step 1): it may take 10 s until a reset.",
    });
    episode();
    expect(referee.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("limit an episode, whose slow environment is not the agent's fault", () => {
    const limits = { ...LIMITS, steps: 1000 };
    const { referee, reset, step, wait } = start({ limits });
    reset();
    for (let i = 0; i < 100; i++) {
      wait(1);
      step();
    }
    expect(referee.deadline()).toBe(1000 + 100_000);
    expect(referee.late()).toMatchObject({
      ...{ code: "agent_timeout", message: expect.stringContaining("the episode took longer than 100 s") },
    });
    const slow = start({ limits });
    slow.reset();
    const move = slow.ask({ type: "step", action: 1 });
    slow.wait(101);
    slow.referee.stepped(move as never, {
      ...{ observation: 1, text: "1", reward: 0, terminated: false, truncated: false, info: {} },
    });
    expect(slow.referee.late()).toMatchObject({ code: "env_timeout", detail: "it used 101 s" });
  });

  it("do not count a replay", () => {
    const { referee, reset, ask, wait } = start();
    reset();
    const move = ask({ type: "step", action: 1 });
    wait(50);
    referee.excuse(50_000);
    referee.stepped(move as never, {
      ...{ observation: 1, text: "1", reward: 0, terminated: false, truncated: false, info: {} },
    });
    expect(referee.times().environmentMs).toBe(0);
    expect(referee.deadline()).toBe(51_000 + 3000);
  });
});

describe("the clocks of a code agent, between its requests", () => {
  it("start again with each request, also one that is not JSON", () => {
    const { referee, reset, wait } = start();
    reset();
    wait(2.5);
    referee.invalid("x");
    expect(referee.deadline()).toBe(3500 + 1000 + 500);
    expect(referee.times()).toMatchObject({ agentMs: 2500 });
    expect(referee.answeredAt()).toBe(3500);
  });

  it("do not start again between episodes, whatever the agent asks", () => {
    const { referee, ask, wait } = start();
    wait(9);
    ask({ type: "hello" });
    expect(referee.deadline()).toBe(11_000);
  });

  it("give a step exactly its time before the bank is used", () => {
    const { reset, step, wait } = start();
    reset();
    wait(1);
    expect(step()).toMatchObject({ bank_ms: 2000 });
    wait(1.001);
    expect(step()).toMatchObject({ bank_ms: 1999 });
  });

  it("know no rest: a code agent that does not reset is too slow", () => {
    const { referee, wait } = start();
    wait(100);
    expect(referee.late()).toMatchObject({ code: "agent_timeout" });
  });

  it("blame the environment for more than half of an episode's time", () => {
    const half = (seconds: number) => {
      const { referee, reset, ask, wait } = start();
      reset();
      const move = ask({ type: "step", action: 1 });
      wait(seconds);
      referee.stepped(move as never, {
        ...{ observation: 1, text: "1", reward: 0, terminated: false, truncated: false, info: {} },
      });
      wait(100 - seconds);
      return referee.late().code;
    };
    expect(half(50)).toBe("agent_timeout");
    expect(half(50.1)).toBe("env_timeout");
  });
});

describe("the clocks of a remote agent", () => {
  it("stand still once all episodes are over", () => {
    const { referee, ask, reset, step, wait } = start({ agent: "remote", episodes: 1 });
    reset();
    step({ terminated: true });
    wait(5);
    ask({ type: "hello" });
    expect(referee.answeredAt()).toBe(1000);
    expect(referee.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("report silence in an episode whose time was excused", () => {
    const { referee, reset, wait } = start({ agent: "remote" });
    reset();
    referee.excuse(50_000);
    wait(100);
    expect(referee.late().message).toBe("The agent sent no request for 10 s (episode 1, step 0).");
  });

  it("do not count silence before the agent could be heard", () => {
    const { referee, reset, ask, wait } = start({ agent: "remote" });
    wait(50);
    // It began at 1000, and could be heard again 45 s later.
    referee.excuseSilence(46_000);
    expect(referee.deadline()).toBe(46_000 + 10_000);
    reset();
    expect(referee.deadline()).toBe(51_000 + 10_000);
    wait(200);
    referee.excuseSilence(250_000);
    expect(referee.deadline()).toBe(250_000 + 10_000);
    // Neither is it the episode's time.
    expect(ask({ type: "hello" })).toMatchObject({ kind: "answer", answer: { type: "hello" } });
    wait(5);
    referee.excuseSilence(100_000);
    expect(referee.deadline()).toBe(251_000 + 10_000);
  });

  it("rest as long between episodes as the agent could be heard", () => {
    const { referee, reset, step, ask, wait } = start({ agent: "remote" });
    reset();
    step({ terminated: true });
    wait(1000);
    referee.excuseSilence(1_001_000);
    for (let i = 0; i < 10; i++) {
      wait(10 - 0.1);
      ask({ type: "hello" });
    }
    // 100 s, those of an episode, after it could be heard.
    expect(referee.deadline()).toBe(1_001_000 + 100_000);
  });

  it("report silence between episodes, and an episode that lasts", () => {
    const { referee, reset, step, ask, wait } = start({ agent: "remote" });
    wait(10);
    expect(referee.late().message).toBe("The agent sent no request for 10 s (before the first episode).");
    reset();
    for (let i = 0; i < 20; i++) {
      ask({ type: "hello" });
      wait(9);
    }
    expect(referee.late()).toMatchObject({ code: "agent_timeout" });
    step({ terminated: true });
    expect(referee.late().message).toBe("The agent sent no request for 10 s (episode 1, step 1).");
  });

  it("end a session that is silent, and know no bank", () => {
    const { referee, reset, step, wait } = start({ agent: "remote" });
    expect(referee.deadline()).toBe(11_000);
    reset();
    wait(9);
    expect(step()).not.toHaveProperty("bank_ms");
    expect(referee.deadline()).toBe(20_000);
    expect(referee.late()).toMatchObject({
      ...{ code: "session_abandoned", message: "The agent sent no request for 10 s (episode 1, step 1)." },
    });
  });

  it("start again with each request between episodes, for as long as an episode may take", () => {
    const { referee, ask, wait } = start({ agent: "remote" });
    for (let seconds = 0; seconds < 99; seconds += 9) {
      expect(referee.failure()).toBeNull();
      ask({ type: "hello" });
      wait(9);
    }
    wait(1);
    ask({ type: "hello" });
    expect(referee.failure()).toMatchObject({
      code: "session_abandoned",
      message: "The agent did not reset for 100 s (before the first episode).",
    });
  });

  it("start again when another grader continues the session", () => {
    const { referee, reset, wait } = start({ agent: "remote" });
    reset();
    wait(50);
    referee.restartClocks();
    expect(referee.deadline()).toBe(61_000);
  });
});
