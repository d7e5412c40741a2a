import type { AgentRequest } from "@crowdai/shared";
import type { SessionReply, StepChannel } from "@crowdai/shared/step-channel";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { playRemote } from "./play-remote.ts";
import { createReferee } from "./referee.ts";
import type { Session } from "./session.ts";

it("a session whose job is given away just after another grader took it over ends with the reason of the signal", async () => {
  const lost = new AbortController();
  const given = new AbortController();
  const reason = new Error("the job was given to another grader");
  const steps = {
    serve: async () => ({ lost: lost.signal, async [Symbol.asyncDispose]() {} }),
    async journal() {
      lost.abort();
      given.abort(reason);
      return [];
    },
  } as unknown as StepChannel;
  const agent = { id: "1", deterministic: true, idleMs: 1000, signal: given.signal };
  await expect(playRemote(agent, steps, async () => ({}) as Session)).rejects.toBe(reason);
});

describe("silence of an agent", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => void vi.useRealTimers());

  /** A session whose agent may be silent for 10 s, and is heard since `heard.since`. */
  function play({ isDone = false } = {}) {
    const heard = { since: () => 0 };
    const limits = {
      ...{ steps: 3, step_seconds: 1, bank_seconds: 2, reset_seconds: 60, env_step_seconds: 30 },
      ...{ episode_seconds: 100, idle_seconds: 10 },
    };
    const referee = createReferee({
      spaces: { action: { name: "Discrete", n: 2 }, observation: { name: "Any" } },
      ...{ episodes: 1, limits, agent: "remote", rewardVisible: true, now: () => performance.now() },
    });
    if (isDone) referee.isDone = () => true;
    let ask: (request: AgentRequest) => Promise<SessionReply> = async () => expect.unreachable();
    const steps = {
      async serve(_session: string, answer: typeof ask) {
        ask = answer;
        return {
          lost: new AbortController().signal,
          reachableSince: () => heard.since(),
          async [Symbol.asyncDispose]() {},
        };
      },
      journal: async () => [],
    } as unknown as StepChannel;
    const session = {
      referee,
      submitted: () => false,
      async answer(request: AgentRequest) {
        const move = referee.request(request);
        return { answer: move.kind === "answer" ? move.answer : { type: "bye" } };
      },
    } as unknown as Session;
    const state = { end: null as unknown };
    const agent = { id: "1", deterministic: true, idleMs: 10_000, signal: new AbortController().signal };
    const note = (end: unknown) => {
      state.end = end;
    };
    playRemote(agent, steps, async () => session).then(note, note);
    return { heard, state, ask: (request: AgentRequest) => ask(request) };
  }
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it("ends a session", async () => {
    const { state } = play();
    await pass(9_900);
    expect(state.end).toBeNull();
    await pass(200);
    expect(state.end).toMatchObject({ code: "session_abandoned" });
  });

  it("does not count while no request can arrive, until that has been possible for as long", async () => {
    const { state, heard } = play();
    await pass(5_000);
    heard.since = () => performance.now();
    await pass(60_000);
    const back = performance.now();
    heard.since = () => back;
    await pass(9_900);
    expect(state.end).toBeNull();
    await pass(200);
    expect(state.end).toMatchObject({ code: "session_abandoned" });
  });

  it("is over for a request that comes after such a time", async () => {
    const { heard, ask, state } = play();
    await pass(1_000);
    // A process that was stopped: its timers come after the request.
    const now = vi.spyOn(performance, "now").mockReturnValue(60_000);
    heard.since = () => 59_000;
    expect(await ask({ type: "hello" })).toMatchObject({ answer: { type: "hello" } });
    now.mockRestore();
    expect(state.end).toBeNull();
  });

  it("after the last episode does not count either", async () => {
    const { state, heard } = play({ isDone: true });
    await pass(5_000);
    heard.since = () => 5_000;
    await pass(9_900);
    expect(state.end).toBeNull();
    await pass(200);
    expect(state.end).not.toBeNull();
  });
});
