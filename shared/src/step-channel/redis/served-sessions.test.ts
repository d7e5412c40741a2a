import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AgentRequest } from "../../protocol/agent.ts";
import { answerTo, echo, entryOf, reset, step } from "../step-channel.contract.ts";
import type { JournalEntry, PlayedEntry, ServedSession, SessionReply } from "../step-channel.ts";
import { createServedSessions, type JournalElement, type Reply } from "./served-sessions.ts";

describe("the sessions that a grader serves", () => {
  let closing: (() => void)[] = [];
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
  });
  afterEach(async () => {
    for (const close of closing) close();
    closing = [];
    await vi.advanceTimersByTimeAsync(2000);
    vi.useRealTimers();
  });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  function start() {
    const redis = {
      last: null as JournalElement | null,
      claims: Promise.resolve(),
      replies: Promise.resolve(),
      fails: false,
      lost: [] as string[],
    };
    const began = performance.now();
    const calls: unknown[][] = [];
    /** Each with the time at which it was sent. */
    const sent: (Reply & { ms: number })[] = [];
    const batches: number[] = [];
    const logged: unknown[] = [];
    const note = (about: object) => void logged.push(about);
    const failing = () => {
      if (redis.fails) throw new Error("no Redis");
    };
    const served = createServedSessions({
      process: "me",
      reachableSince: () => 7,
      log: { info: note, warn: note, error: note },
      async claim(...args) {
        calls.push(["claim", ...args]);
        const { last } = redis;
        await redis.claims;
        return last;
      },
      async leave(...args) {
        calls.push(["leave", ...args]);
        failing();
      },
      async refresh(all) {
        calls.push(["refresh", ...all.map(({ server, session }) => `${server} ${session}`)]);
        failing();
        return all.map(({ session }) => !redis.lost.includes(session));
      },
      async reply(replies) {
        batches.push(replies.length);
        for (const reply of replies) sent.push({ ...reply, ms: performance.now() - began });
        await redis.replies;
        failing();
        return replies.map(({ session }) => !redis.lost.includes(session));
      },
    });
    closing.push(() => served.close());
    let count = 0;
    function receive(session: string, request: AgentRequest, id = `you/${++count}`): void {
      served.receive(session, { id, from: "you", request });
    }
    const of = (name: string) => calls.filter(([one]) => one === name).map(([, ...args]) => args);
    return { redis, served, calls, of, sent, batches, logged, receive };
  }

  /** Answers with an entry, and notes what it is asked. */
  function player() {
    const asked: AgentRequest[] = [];
    const answer = async (request: AgentRequest): Promise<SessionReply> => {
      asked.push(request);
      return request.type === "hello"
        ? { answer: answerTo(request) }
        : { answer: answerTo(request), entry: entryOf(request) };
    };
    return { asked, answer };
  }

  /** Whether it is disposed. */
  function dispose(serving: ServedSession) {
    const state = { done: false };
    void serving[Symbol.asyncDispose]().then(() => {
      state.done = true;
    });
    return state;
  }

  it("have their answers sent with what is recorded", async () => {
    const { served, sent, receive, of } = start();
    await served.serve("s", player().answer);
    for (const request of [reset(1), step(1), { type: "submit" }, { type: "hello" }] as const)
      receive("s", request);
    await pass(0);
    const elements = [
      JSON.stringify(["you/1", entryOf(reset(1))]),
      JSON.stringify(["you/2", entryOf(step(1))]),
      "submit",
      "",
    ];
    expect(sent).toEqual(
      [reset(1), step(1), { type: "submit" } as const, { type: "hello" } as const].map((request, i) => ({
        ...{ server: "me/1", session: "s", to: "you", again: false, ms: 0 },
        message: JSON.stringify(["answer", `you/${i + 1}`, answerTo(request)]),
        element: elements[i],
      })),
    );
    await served.serve("t", echo);
    expect(of("claim")).toEqual([
      ["me/1", "s"],
      ["me/2", "t"],
    ]);
    expect(served.size).toBe(2);
  });

  it("have many answers sent together, up to 200 or a megabyte", async () => {
    const { served, batches, receive } = start();
    for (let n = 1; n <= 201; n++) await served.serve(`s${n}`, echo);
    for (let n = 1; n <= 201; n++) receive(`s${n}`, step(n));
    await pass(0);
    expect(batches).toEqual([200, 1]);
    const text = "x".repeat(300_000);
    const entry: JournalEntry = { type: "reset", episode: 1, digest: text };
    for (const name of ["a", "b", "c"])
      await served.serve(name, async () => ({ answer: { type: "error", code: "x", message: text }, entry }));
    for (const name of ["a", "b", "c"]) receive(name, step(1));
    await pass(0);
    expect(batches.slice(2)).toEqual([2, 1]);
  });

  it("answer nothing before Redis knows their grader", async () => {
    const { redis, served, receive, of } = start();
    const gate = Promise.withResolvers<void>();
    redis.claims = gate.promise;
    const { asked, answer } = player();
    const serving = served.serve("s", answer);
    receive("s", step(1));
    await pass(6000);
    expect([asked, of("refresh")]).toEqual([[], []]);
    gate.resolve();
    await serving;
    await pass(0);
    expect(asked).toEqual([step(1)]);
  });

  it.each<[string, AgentRequest, PlayedEntry, AgentRequest]>([
    [
      "a step",
      { type: "step", action: 7 },
      { type: "step", episode: 2, n: 140, action: 7, reward: 1, digest: "d", over: false },
      { type: "step", episode: 2, n: 140, action: 7 },
    ],
    ["a reset", { type: "reset" }, { type: "reset", episode: 3, digest: "d" }, { type: "reset", episode: 3 }],
    [
      "neither",
      { type: "hello" },
      { type: "step", episode: 2, n: 140, action: 7, reward: 1, digest: "d", over: false },
      { type: "hello" },
    ],
    [
      "another type",
      { type: "step", action: 7 },
      { type: "reset", episode: 3, digest: "d" },
      { type: "step", action: 7 },
    ],
    [
      "yet another type",
      { type: "reset" },
      { type: "step", episode: 2, n: 140, action: 7, reward: 1, digest: "d", over: false },
      { type: "reset" },
    ],
  ])("name the request that was recorded last: %s", async (_, request, recorded, named) => {
    const { redis, served, receive } = start();
    redis.last = ["you/7", recorded];
    const { asked, answer } = player();
    await served.serve("s", answer);
    receive("s", request, "you/6");
    receive("s", request, "you/7");
    await pass(0);
    expect(asked).toEqual([request, named]);
  });

  it("are not served when Redis does not learn of it", async () => {
    const { redis, served, receive, sent } = start();
    redis.claims = Promise.reject(new Error("no Redis"));
    const { asked, answer } = player();
    const serving = served.serve("s", answer);
    receive("s", step(1));
    await expect(serving).rejects.toThrow("no Redis");
    expect(served.size).toBe(0);
    redis.claims = Promise.resolve();
    await served.serve("s", echo);
    receive("s", step(2));
    await pass(0);
    expect([asked, sent.map(({ server }) => server)]).toEqual([[], ["me/2"]]);
  });

  it("stay with a later call that was made before the first one failed", async () => {
    const { redis, served, receive, sent } = start();
    const gate = Promise.withResolvers<void>();
    redis.claims = gate.promise;
    const first = served.serve("s", echo);
    redis.claims = Promise.resolve();
    await served.serve("s", echo);
    gate.reject(new Error("no Redis"));
    await expect(first).rejects.toThrow("no Redis");
    receive("s", step(1));
    await pass(0);
    expect(sent.map(({ server }) => server)).toEqual(["me/2"]);
  });

  it("answer a request once that comes again while it waits or runs", async () => {
    const { served, receive, sent } = start();
    const gate = Promise.withResolvers<void>();
    const asked: AgentRequest[] = [];
    await served.serve("s", async (request) => {
      asked.push(request);
      await gate.promise;
      return echo(request);
    });
    for (const id of ["a", "b", "a", "b"]) receive("s", step(1), id);
    await pass(0);
    gate.resolve();
    await pass(0);
    expect([asked.length, sent.length]).toEqual([2, 2]);
  });

  it("send an answer again to a request that comes again", async () => {
    const { served, receive, sent, redis } = start();
    const { asked, answer } = player();
    await served.serve("s", answer);
    receive("s", step(1), "a");
    await pass(0);
    receive("s", step(1), "a");
    await pass(0);
    expect(sent).toEqual([expect.objectContaining({ again: false }), { ...sent[0], again: true }]);
    redis.fails = true;
    receive("s", step(1), "a");
    await pass(0);
    redis.fails = false;
    receive("s", step(2), "b");
    await pass(0);
    expect(asked).toEqual([step(1), step(2)]);
    expect(sent.at(-1)?.again).toBe(false);
  });

  it("do a step once whose answer was lost, though something else was asked meanwhile", async () => {
    const { served, receive, sent } = start();
    const { asked, answer } = player();
    await served.serve("s", answer);
    const unnumbered: AgentRequest = { type: "step", action: 7 };
    receive("s", unnumbered, "a");
    await pass(0);
    receive("s", { type: "hello" }, "b");
    await pass(0);
    receive("s", unnumbered, "a");
    receive("s", { type: "hello" }, "b");
    await pass(0);
    expect(asked).toEqual([unnumbered, { type: "hello" }]);
    expect(sent.map(({ message, again }) => [JSON.parse(message)[1], again])).toEqual([
      ["a", false],
      ["b", false],
      ["a", true],
      ["b", true],
    ]);
  });

  it("get no answer from a failure, and not another try", async () => {
    const { served, receive, sent } = start();
    const asked: AgentRequest[] = [];
    await served.serve("s", async (request) => {
      asked.push(request);
      if (request.type === "step") throw new Error("broken");
      return echo(request);
    });
    for (const _ of [1, 2]) {
      receive("s", step(1), "a");
      await pass(0);
    }
    receive("s", reset(1), "b");
    await pass(0);
    expect([asked, sent.length]).toEqual([[step(1), reset(1)], 1]);
  });

  it("send an answer until Redis has it, and the next one only then", async () => {
    const { redis, served, receive, sent, logged } = start();
    const { asked, answer } = player();
    await served.serve("s", answer);
    redis.fails = true;
    receive("s", step(1));
    receive("s", step(2));
    await pass(4000);
    expect(sent.map(({ ms, again }) => [ms, again])).toEqual([
      [0, false],
      ...[50, 150, 350, 750, 1550, 2550, 3550].map((ms) => [ms, true]),
    ]);
    expect([asked, logged]).toEqual([
      [step(1)],
      [expect.objectContaining({ event: "step_answer_deferred", submission: "s" })],
    ]);
    redis.fails = false;
    await pass(1000);
    expect([asked, sent.at(-1)?.again]).toEqual([[step(1), step(2)], false]);
  });

  it("give up an answer when another grader has taken the session over", async () => {
    const { redis, served, receive, sent, logged } = start();
    const serving = await served.serve("s", echo);
    const other = await served.serve("t", echo);
    redis.lost = ["s"];
    receive("s", step(1));
    receive("t", step(1));
    receive("s", step(2));
    await pass(0);
    expect([serving.lost.aborted, other.lost.aborted, served.size]).toEqual([true, false, 1]);
    expect(logged).toEqual([{ event: "session_lost", submission: "s" }]);
    receive("s", step(3));
    await pass(0);
    expect(sent.map(({ session }) => session)).toEqual(["s", "t"]);
  });

  it("are lost once, by several answers, which are not those of others", async () => {
    const { redis, served, receive, sent, batches, logged } = start();
    for (const session of ["s", "t", "u"]) await served.serve(session, player().answer);
    receive("s", step(1), "a");
    await pass(0);
    // All in one batch: that of the answer to `b` is still being sent.
    const gate = Promise.withResolvers<void>();
    redis.replies = gate.promise;
    receive("t", step(1), "b");
    await pass(0);
    for (const _ of [1, 2]) receive("s", step(1), "a");
    receive("u", step(1), "c");
    await pass(0);
    redis.lost = ["s"];
    gate.resolve();
    await pass(1000);
    expect(sent.map(({ session }) => session)).toEqual(["s", "t", "s", "s", "u"]);
    expect(batches).toEqual([1, 1, 3]);
    expect(logged).toHaveLength(1);
  });

  it("stop sending when the session is lost while Redis fails", async () => {
    const { redis, served, receive, sent } = start();
    const serving = await served.serve("s", echo);
    redis.fails = true;
    receive("s", step(1));
    await pass(1000);
    const before = sent.length;
    redis.fails = false;
    redis.lost = ["s"];
    await served.refresh();
    expect(serving.lost.aborted).toBe(true);
    await pass(5000);
    expect(sent.length).toBe(before);
  });

  it("are kept every five seconds", async () => {
    const { redis, served, of } = start();
    await pass(5000);
    const serving = await served.serve("s", echo);
    const other = await served.serve("t", echo);
    await pass(4999);
    expect(of("refresh")).toEqual([]);
    await pass(1);
    expect(of("refresh")).toEqual([["me/1 s", "me/2 t"]]);
    redis.fails = true;
    redis.lost = ["t"];
    await pass(5000);
    expect([serving.lost.aborted, other.lost.aborted]).toEqual([false, false]);
    redis.fails = false;
    await pass(5000);
    expect([serving.lost.aborted, other.lost.aborted, of("refresh").length]).toEqual([false, true, 3]);
  });

  it("go to a later call of the same process, and send nothing more for the earlier one", async () => {
    const { served, receive, sent, of } = start();
    const gate = Promise.withResolvers<void>();
    const first = await served.serve("s", async (request) => {
      await gate.promise;
      return echo(request);
    });
    receive("s", step(1), "a");
    receive("s", step(2), "b");
    await pass(0);
    const { asked, answer } = player();
    const second = await served.serve("s", answer);
    expect([first.lost.aborted, second.lost.aborted]).toEqual([true, false]);
    gate.resolve();
    await first[Symbol.asyncDispose]();
    expect([sent, of("leave")]).toEqual([[], []]);
    receive("s", step(1), "a");
    await pass(0);
    expect([asked, sent.map(({ server }) => server)]).toEqual([[step(1)], ["me/2"]]);
  });

  it("are not lost by an answer that an earlier call has sent", async () => {
    const { redis, served, receive } = start();
    const first = await served.serve("s", echo);
    const gate = Promise.withResolvers<void>();
    redis.replies = gate.promise;
    receive("s", step(1));
    await pass(0);
    const second = await served.serve("s", echo);
    redis.lost = ["s"];
    gate.resolve();
    await pass(0);
    expect([first.lost.aborted, second.lost.aborted]).toEqual([true, false]);
  });

  it("are left when they are disposed, after the request that runs", async () => {
    const { served, receive, sent, of } = start();
    const gate = Promise.withResolvers<void>();
    const serving = await served.serve("s", async (request) => {
      await gate.promise;
      return echo(request);
    });
    receive("s", step(1));
    receive("s", step(2));
    const state = dispose(serving);
    await pass(10_000);
    expect([state.done, of("leave")]).toEqual([false, []]);
    gate.resolve();
    await pass(0);
    expect([state.done, sent.length, of("leave"), served.size]).toEqual([true, 1, [["me/1", "s"]], 0]);
    expect(serving.lost.aborted).toBe(false);
  });

  it("are left though Redis fails, five seconds after the answer could not be sent", async () => {
    const { redis, served, receive, sent, of } = start();
    const serving = await served.serve("s", echo);
    redis.fails = true;
    receive("s", step(1));
    await pass(550);
    const state = dispose(serving);
    await pass(5000);
    expect(state.done).toBe(false);
    await pass(1000);
    expect([state.done, sent.at(-1)?.ms, of("leave").length]).toEqual([true, 6550, 1]);
  });

  it("are not left when another grader has them", async () => {
    const { redis, served, of } = start();
    const serving = await served.serve("s", echo);
    redis.lost = ["s"];
    await served.refresh();
    await serving[Symbol.asyncDispose]();
    expect(of("leave")).toEqual([]);
  });

  it("answer nothing more when the process ends, which ends all timers", async () => {
    const { redis, served, receive, sent } = start();
    const { asked, answer } = player();
    await served.serve("s", answer);
    redis.fails = true;
    receive("s", step(1));
    receive("s", step(2));
    await pass(0);
    served.close();
    await pass(0);
    expect([asked, sent.length, vi.getTimerCount()]).toEqual([[step(1)], 1, 0]);
  });

  it("do not log an answer that fails because the process ends", async () => {
    const { redis, served, receive, logged } = start();
    await served.serve("s", echo);
    const gate = Promise.withResolvers<void>();
    redis.replies = gate.promise;
    receive("s", step(1));
    await pass(0);
    served.close();
    gate.reject(new Error("closed"));
    await pass(0);
    expect(logged).toEqual([]);
  });
});
