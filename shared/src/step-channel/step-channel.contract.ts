import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentAnswer, AgentRequest } from "../protocol/agent.ts";
import { until } from "../queue/contract/wait-until.ts";
import type { JournalEntry, SessionReply, StepChannel } from "./step-channel.ts";

export interface ChannelUnderTest {
  /** Opens the channel as another process does; in process it is the same one. */
  open(): Promise<StepChannel>;
  /** Closes all, and removes what the test left. */
  close(): Promise<void>;
}

/**
 * The contract of every step channel. `create` makes an empty one, which shares nothing with earlier ones.
 */
export function stepChannelContract(name: string, create: () => Promise<ChannelUnderTest>): void {
  describe(`${name}, as a step channel`, () => {
    let under: ChannelUnderTest;
    let broker: StepChannel;
    let grader: StepChannel;
    let other: StepChannel;
    const never = new AbortController().signal;

    beforeEach(async () => {
      under = await create();
      broker = await under.open();
      grader = await under.open();
      other = await under.open();
    });
    afterEach(() => under.close());

    it("carries requests to the grader of the session, and its answers back", async () => {
      const asked: AgentRequest[] = [];
      await grader.serve("s", async (request) => {
        asked.push(request);
        return { answer: answerTo(request) };
      });
      const requests = [
        reset(1),
        step(1, [0.1, -1e100, 0]),
        step(2, { name: "ü\n€" }),
        { type: "submit" },
      ] as const;
      for (const request of requests)
        expect(await broker.ask("s", request, never)).toEqual(answerTo(request));
      expect(asked).toEqual(requests);
    });

    it("waits for a grader", async () => {
      const answer = broker.ask("s", step(1), never);
      await grader.serve("another", async () => ({ answer: { type: "end" } }));
      await grader.serve("s", echo);
      expect(await answer).toEqual(answerTo(step(1)));
    });

    it("asks one request at a time, in order, and other sessions meanwhile", async () => {
      const gate = Promise.withResolvers<void>();
      const began: unknown[] = [];
      let running = 0;
      await grader.serve("s", async (request) => {
        expect(++running).toBe(1);
        began.push(request);
        if (began.length === 1) await gate.promise;
        running--;
        return echo(request);
      });
      await grader.serve("t", echo);
      const requests = [1, 2, 3, 4, 5].map((n) => step(n));
      const answers = requests.map((request) => broker.ask("s", request, never));
      await until(() => began.length === 1);
      await broker.ask("t", step(1), never);
      expect(began).toHaveLength(1);
      gate.resolve();
      expect(await Promise.all(answers)).toEqual(requests.map(answerTo));
      expect(began).toEqual(requests);
    });

    it("rejects with the reason of the abort, before and during the wait for a grader or an answer", async () => {
      await expect(broker.ask("s", step(1), AbortSignal.abort("before"))).rejects.toBe("before");
      const abort = new AbortController();
      const waiting = broker.ask("s", step(1), abort.signal);
      abort.abort("waiting");
      await expect(waiting).rejects.toBe("waiting");

      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      await grader.serve("s", async (request) => {
        asked.resolve();
        await gate.promise;
        return echo(request);
      });
      const second = new AbortController();
      const running = broker.ask("s", step(2), second.signal);
      await asked.promise;
      second.abort("running");
      await expect(running).rejects.toBe("running");
      gate.resolve();
      expect(await broker.ask("s", step(3), never)).toEqual(answerTo(step(3)));
    });

    it("records an entry before its answer, in order", async () => {
      expect(await grader.journal("s")).toEqual([]);
      await grader.serve("s", async (request) => ({ answer: answerTo(request), entry: entryOf(request) }));
      const requests = [reset(1), step(1), step(2, ["line\n", "\u2028", null, 1e-7])];
      for (const [i, request] of requests.entries()) {
        await broker.ask("s", request, never);
        expect(await other.journal("s")).toEqual(requests.slice(0, i + 1).map(entryOf));
      }
    });

    it("records a submit, once, until the session is forgotten", async () => {
      await grader.serve("s", async (request) => ({ answer: answerTo(request), entry: entryOf(request) }));
      for (const request of [reset(1), { type: "submit" }] as const) await broker.ask("s", request, never);
      expect(await other.journal("s")).toEqual([entryOf(reset(1)), { type: "submit" }]);
      expect(await other.journal("another")).toEqual([]);
      await broker.forget("s");
      expect(await other.journal("s")).toEqual([]);
    });

    it("records nothing for an answer without an entry", async () => {
      await grader.serve("s", echo);
      await broker.ask("s", { type: "hello" }, never);
      expect(await grader.journal("s")).toEqual([]);
    });

    it("sends unanswered requests to the latest grader, and takes nothing more from the one before", async () => {
      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      await grader.serve("s", async () => {
        asked.resolve();
        await gate.promise;
        return { answer: { type: "end" }, entry: entryOf(step(999)) };
      });
      const answer = broker.ask("s", step(1), never);
      await asked.promise;
      await other.serve("s", async (request) => {
        gate.resolve();
        return { answer: answerTo(request), entry: entryOf(request) };
      });
      expect(await answer).toEqual(answerTo(step(1)));
      expect(await broker.ask("s", step(2), never)).toEqual(answerTo(step(2)));
      expect(await other.journal("s")).toEqual([entryOf(step(1)), entryOf(step(2))]);
    });

    it("reports to a grader that another one has taken its session over, and not that it was left", async () => {
      const first = await grader.serve("s", echo);
      expect(first.lost.aborted).toBe(false);
      const second = await other.serve("s", echo);
      await until(() => first.lost.aborted);
      expect(second.lost.aborted).toBe(false);
      await second[Symbol.asyncDispose]();
      await grader.serve("s", echo);
      expect(second.lost.aborted).toBe(false);
    });

    it("leaves the session to a later grader when the earlier one is disposed", async () => {
      const first = await grader.serve("s", echo);
      await other.serve("s", echo);
      await first[Symbol.asyncDispose]();
      expect(await broker.ask("s", step(1), never)).toEqual(answerTo(step(1)));
    });

    it("leaves the session to a later grader when an earlier one ends long afterwards", async () => {
      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const first = await grader.serve("s", async (request) => {
        asked.resolve();
        await gate.promise;
        return echo(request);
      });
      const answer = broker.ask("s", step(1), never);
      await asked.promise;
      const second = await other.serve("s", echo);
      expect(await answer).toEqual(answerTo(step(1)));
      await second[Symbol.asyncDispose]();
      await other.serve("s", echo);
      gate.resolve();
      await first[Symbol.asyncDispose]();
      expect(await broker.ask("s", step(2), never)).toEqual(answerTo(step(2)));
    });

    it("answers the request that runs when it is disposed, and leaves the others to the next grader", async () => {
      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const serving = await grader.serve("s", async () => {
        asked.resolve();
        await gate.promise;
        return { answer: { type: "end" } };
      });
      const first = broker.ask("s", { type: "submit" }, never);
      await asked.promise;
      const second = broker.ask("s", step(2), never);
      const disposed = serving[Symbol.asyncDispose]();
      gate.resolve();
      expect(await first).toEqual({ type: "end" });
      await disposed;
      await other.serve("s", echo);
      expect(await second).toEqual(answerTo(step(2)));
    });

    it("gives no answer to a request that the grader fails to answer, until another one does", async () => {
      const asked = Promise.withResolvers<void>();
      await grader.serve("s", async (request) => {
        asked.resolve();
        if (request.type === "step") throw new Error("broken");
        return echo(request);
      });
      const answer = broker.ask("s", step(1), never);
      await asked.promise;
      expect(await broker.ask("s", reset(1), never)).toEqual(answerTo(reset(1)));
      await other.serve("s", echo);
      expect(await answer).toEqual(answerTo(step(1)));
    });

    it("keeps sessions with unusual names apart", async () => {
      const names = ["", ".", "..", "../s", "a/b", "a%2Fb", "A", "a", "ü", "{x}:y", "s\n", "x".repeat(400)];
      for (const name of names) {
        await grader.serve(name, async () => ({
          answer: { type: "error", code: "name", message: name },
          entry: { type: "reset", episode: 1, digest: name },
        }));
        expect(await broker.ask(name, reset(1), never)).toMatchObject({ message: name });
      }
      for (const name of names)
        expect(await grader.journal(name)).toEqual([{ type: "reset", episode: 1, digest: name }]);
    });

    it("carries messages of a megabyte", async () => {
      const action = "x".repeat(1_000_000);
      await grader.serve("s", async (request) => ({ answer: answerTo(request), entry: entryOf(request) }));
      expect(await broker.ask("s", step(1, action), never)).toEqual(answerTo(step(1, action)));
      expect(await grader.journal("s")).toEqual([entryOf(step(1, action))]);
    });

    it("serves many sessions at once", async () => {
      const names = Array.from({ length: 50 }, (_, i) => `s${i}`);
      for (const [i, name] of names.entries())
        await (i % 2 ? grader : other).serve(name, async () => ({
          answer: { type: "error", code: "name", message: name },
        }));
      const play = async (name: string) => {
        for (let n = 1; n <= 10; n++)
          expect(await broker.ask(name, step(n), never)).toMatchObject({ message: name });
      };
      await Promise.all(names.map(play));
    });

    it("forgets a session", async () => {
      const serving = await grader.serve("s", async (request) => ({
        answer: answerTo(request),
        entry: entryOf(request),
      }));
      await broker.ask("s", reset(1), never);
      await serving[Symbol.asyncDispose]();
      await broker.forget("s");
      await broker.forget("never seen");
      expect(await grader.journal("s")).toEqual([]);
      await other.serve("s", echo);
      expect(await broker.ask("s", reset(1), never)).toEqual(answerTo(reset(1)));
    });

    it("rejects what waits when it is closed, and what comes later", async () => {
      const waiting = expect(broker.ask("s", step(1), never)).rejects.toThrow("closed");
      await broker.close();
      await waiting;
      await expect(broker.ask("s", step(1), never)).rejects.toThrow("closed");
      await expect(broker.serve("s", echo)).rejects.toThrow("closed");
    });
  });
}

export const reset = (episode: number): AgentRequest => ({ type: "reset", episode });
export const step = (n: number, action: unknown = n): AgentRequest => ({
  type: "step",
  episode: 1,
  n,
  action,
});

export function answerTo(request: AgentRequest): AgentAnswer {
  return { type: "error", code: "echo", message: JSON.stringify(request) };
}

export const echo = async (request: AgentRequest): Promise<SessionReply> => ({ answer: answerTo(request) });

export function entryOf(request: AgentRequest): JournalEntry {
  if (request.type === "submit") return { type: "submit" };
  if (request.type !== "step") return { type: "reset", episode: 1, digest: "d" };
  const { n = 0, action } = request;
  return { type: "step", episode: 1, n, action, reward: n / 3, digest: "d", over: false };
}
