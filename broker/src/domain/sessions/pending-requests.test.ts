import type { AgentAnswer, AgentRequest } from "@crowdai/shared";
import { beforeEach, expect, it } from "vitest";
import { createPendingRequests, type PendingRequests } from "./pending-requests.ts";

const END: AgentAnswer = { type: "end" };
const step = (n?: number, action = 1): AgentRequest => ({ type: "step", ...(n && { n }), action });

let sent: { request: AgentRequest; answer: (answer: AgentAnswer) => void; signal: AbortSignal }[];
let requests: PendingRequests;
beforeEach(() => {
  sent = [];
  requests = createPendingRequests((request, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
    signal.addEventListener("abort", () => reject(signal.reason));
    sent.push({ request, answer: resolve, signal });
    return promise;
  });
});

it("sends a request once, however often it is asked for its answer", async () => {
  expect(await requests.ask(step(), 1)).toBeNull();
  const again = requests.ask(step(), 1000);
  sent[0]!.answer(END);
  expect(await again).toEqual(END);
  expect(sent).toHaveLength(1);
  expect(requests.size).toBe(0);
});

it("keeps an answer that came while no one waited, until the agent asks for it or goes on", async () => {
  await requests.ask(step(), 1);
  sent[0]!.answer(END);
  expect(await requests.ask(step(), 1000)).toEqual(END);
  expect(sent).toHaveLength(1);
  await requests.ask(step(), 1);
  sent[1]!.answer(END);
  await new Promise(setImmediate);
  void requests.ask(step(undefined, 2), 1000);
  void requests.ask(step(), 1000);
  expect(sent).toHaveLength(4);
});

it("answers two callers of a numbered request at once, and steps twice for two steps without a number", async () => {
  const both = [requests.ask(step(1), 1000), requests.ask(step(1), 1000)];
  sent[0]!.answer(END);
  expect(await Promise.all(both)).toEqual([END, END]);
  expect(sent).toHaveLength(1);
  void requests.ask(step(), 1000);
  void requests.ask(step(), 1000);
  void requests.ask(step(1, 2), 1000);
  expect(sent).toHaveLength(4);
});

it("gives up a request without a number when its client leaves, and not one with a number", async () => {
  const left = new AbortController();
  const [bare, numbered] = [
    requests.ask(step(), 1000, left.signal),
    requests.ask(step(1), 1000, left.signal),
  ];
  left.abort();
  expect(await Promise.all([bare, numbered])).toEqual([null, null]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false]);
});

it("rejects everything that waits when the session ends", async () => {
  const waiting = requests.ask(step(), 1000);
  requests.end(new Error("over"));
  await expect(waiting).rejects.toThrow("over");
});

it("refuses more requests than an agent needs", async () => {
  for (let n = 1; n <= 64; n++) void requests.ask(step(n), 1000);
  await expect(requests.ask(step(65), 1000)).rejects.toMatchObject({ code: "too_many_requests" });
});
