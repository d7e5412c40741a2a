import { expect, it } from "vitest";
import { createRequestQueue } from "./request-queue.ts";
import type { SessionReply } from "./step-channel.ts";

const END: SessionReply = { answer: { type: "end" } };

/** A queue whose requests run until the test answers them. */
function start() {
  const begun: string[] = [];
  const settled: [string, SessionReply | null][] = [];
  let gate = Promise.withResolvers<SessionReply>();
  const queue = createRequestQueue<string>(
    (request) => {
      begun.push(request);
      return gate.promise;
    },
    (request, reply) => void settled.push([request, reply]),
  );
  async function settle(how: (gate: PromiseWithResolvers<SessionReply>) => void): Promise<void> {
    const current = gate;
    gate = Promise.withResolvers();
    how(current);
    await passed();
  }
  return {
    ...{ queue, begun, settled },
    answer: () => settle(({ resolve }) => resolve(END)),
    fail: () => settle(({ reject }) => reject(new Error("broken"))),
  };
}

/** Passes once everything that needs no time is done. */
const passed = () => new Promise<void>((resolve) => setImmediate(resolve));

it("runs one request at a time, in order, and again after a pause", async () => {
  const { queue, begun, settled, answer } = start();
  queue.add("a");
  queue.add("b");
  expect(begun).toEqual(["a"]);
  await answer();
  expect([begun, settled]).toEqual([["a", "b"], [["a", END]]]);
  await answer();
  queue.add("c");
  expect(begun).toEqual(["a", "b", "c"]);
});

it("goes on after a request without an answer", async () => {
  const { queue, begun, settled, fail } = start();
  queue.add("a");
  queue.add("b");
  await fail();
  expect([begun, settled]).toEqual([["a", "b"], [["a", null]]]);
});

it("takes back a request that waits, that one alone, and none that runs", async () => {
  const { queue, begun, settled, answer } = start();
  for (const request of ["a", "b", "c", "d"]) queue.add(request);
  for (const request of ["c", "a", "never added"]) queue.remove(request);
  for (const _ of [1, 2, 3]) await answer();
  expect([begun, settled.length]).toEqual([["a", "b", "d"], 3]);
});

it("takes back the request that is next", async () => {
  const { queue, begun, answer } = start();
  for (const request of ["a", "b", "c"]) queue.add(request);
  queue.remove("b");
  await answer();
  expect(begun).toEqual(["a", "c"]);
});

it("stops when the request that runs is answered, and begins no other", async () => {
  const { queue, begun, settled, answer } = start();
  for (const request of ["a", "b"]) queue.add(request);
  let stopped = false;
  const stopping = queue.stop().then(() => {
    stopped = true;
  });
  queue.add("c");
  await passed();
  expect(stopped).toBe(false);
  await answer();
  await stopping;
  queue.add("d");
  expect([begun, settled]).toEqual([["a"], [["a", END]]]);
});

it("stops at once when nothing runs", async () => {
  const { queue, begun } = start();
  await queue.stop();
  queue.add("a");
  expect(begun).toEqual([]);
});
