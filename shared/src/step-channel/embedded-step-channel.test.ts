import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { createEmbeddedStepChannel } from "./embedded-step-channel.ts";
import { answerTo, echo, entryOf, step, stepChannelContract } from "./step-channel.contract.ts";
import type { StepChannel } from "./step-channel.ts";
import { openFilesBelow } from "./testing/open-files.ts";

const never = new AbortController().signal;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-steps-"));
});
afterEach(() => rm(folder, { recursive: true }));

stepChannelContract("the embedded step channel", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  return { open: async () => channel, close: () => channel.close() };
});

/** Serves a session, and asks these steps of it. */
async function play(channel: StepChannel, steps: readonly number[]): Promise<AsyncDisposable> {
  const serving = await channel.serve("s", async (request) => ({
    answer: answerTo(request),
    entry: entryOf(request),
  }));
  for (const n of steps) await channel.ask("s", step(n), never);
  return serving;
}

it("reads the journal of a process that was killed, and adds to it", async () => {
  await play(await createEmbeddedStepChannel({ folder }), [1, 2]);
  const next = await createEmbeddedStepChannel({ folder });
  expect(await next.journal("s")).toEqual([1, 2].map((n) => entryOf(step(n))));
  await play(next, [3]);
  expect(await next.journal("s")).toEqual([1, 2, 3].map((n) => entryOf(step(n))));
});

it.each([
  ["a line without its end", '{"type":"step","episode":1,'],
  ["a complete line that is not JSON", "\0\0\0\0\n"],
])("drops %s, and what comes after it", async (_, torn) => {
  await play(await createEmbeddedStepChannel({ folder }), [1, 2]);
  await appendFile(join(folder, "s.ndjson"), torn);
  const next = await createEmbeddedStepChannel({ folder });
  expect(await next.journal("s")).toEqual([1, 2].map((n) => entryOf(step(n))));
  await play(next, [3]);
  expect(await next.journal("s")).toEqual([1, 2, 3].map((n) => entryOf(step(n))));
});

it("keeps journals from other users, and forgets them with their sessions", async () => {
  const channel = await createEmbeddedStepChannel({ folder: join(folder, "new") });
  await using _ = await play(channel, [1]);
  expect((await stat(join(folder, "new"))).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, "new", "s.ndjson"))).mode & 0o777).toBe(0o600);
  await channel.forget("s");
  expect(await readdir(join(folder, "new"))).toEqual([]);
});

it("rejects a request whose entry cannot be written, and writes it before the next answer", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  let written = false;
  await channel.serve("s", async (request) => {
    if (written) return { answer: answerTo(request) };
    written = true;
    return { answer: answerTo(request), entry: { ...entryOf(step(1)), action: cyclic } as never };
  });
  await expect(channel.ask("s", step(1), never)).rejects.toThrow();
  await expect(channel.ask("s", step(1), never)).rejects.toThrow();
  cyclic.pop();
  expect(await channel.ask("s", step(1), never)).toEqual(answerTo(step(1)));
  expect((await readFile(join(folder, "s.ndjson"), "utf8")).match(/\n/g)).toHaveLength(1);
});

it("does not start a request that was aborted while it waited", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  const gate = Promise.withResolvers<void>();
  const begun: unknown[] = [];
  await channel.serve("s", async (request) => {
    begun.push(request);
    await gate.promise;
    return { answer: answerTo(request) };
  });
  const abort = new AbortController();
  const first = channel.ask("s", step(1), never);
  const second = expect(channel.ask("s", step(2), abort.signal)).rejects.toBe("gone");
  const third = channel.ask("s", step(3), never);
  abort.abort("gone");
  await second;
  gate.resolve();
  await Promise.all([first, third]);
  expect(begun).toEqual([step(1), step(3)]);
});

it("writes nothing for an answer without an entry", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  await channel.serve("s", async (request) => ({
    answer: answerTo(request),
    ...(request.type === "step" ? { entry: entryOf(request) } : {}),
  }));
  for (const request of [step(1), { type: "hello" }, step(2)] as const)
    await channel.ask("s", request, never);
  expect(await channel.journal("s")).toEqual([step(1), step(2)].map(entryOf));
});

it("does not give a request that was answered to the next grader", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  await play(channel, [1, 2]);
  const asked: unknown[] = [];
  await channel.serve("s", async (request) => {
    asked.push(request);
    return { answer: answerTo(request) };
  });
  await channel.ask("s", step(3), never);
  expect(asked).toEqual([step(3)]);
});

it("listens to the signal of a request as long as it has no answer", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  await channel.serve("s", echo);
  const { signal } = new AbortController();
  const listens = vi.spyOn(signal, "addEventListener");
  const forgets = vi.spyOn(signal, "removeEventListener");
  await channel.ask("s", step(1), signal);
  expect(forgets.mock.calls).toEqual(listens.mock.calls);
});

it("does not call a grader whose journal cannot be opened, and gives its requests to the next one", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  await mkdir(join(folder, "s.ndjson"));
  const answer = channel.ask("s", step(1), never);
  const refused = vi.fn(echo);
  await expect(channel.serve("s", refused)).rejects.toMatchObject({ code: "data_unusable" });
  await rm(join(folder, "s.ndjson"), { recursive: true });
  const first = await channel.serve("s", echo);
  expect(await answer).toEqual(answerTo(step(1)));
  expect([refused.mock.calls.length, first.lost.aborted]).toEqual([0, false]);
});

it.skipIf(!existsSync("/proc/self/fd"))("keeps no file of a grader that was disposed open", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  const serving = await play(channel, [1]);
  expect(openFilesBelow(folder)).toHaveLength(1);
  await serving[Symbol.asyncDispose]();
  expect(openFilesBelow(folder)).toEqual([]);
});

it("answers within 50 microseconds, with a journal", async () => {
  const channel = await createEmbeddedStepChannel({ folder });
  await using _ = await channel.serve("s", async (request) => ({
    answer: answerTo(request),
    entry: entryOf(request),
  }));
  const took: number[] = [];
  for (let n = 1; n <= 2000; n++) {
    const began = performance.now();
    await channel.ask("s", step(n), never);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  expect(took[1000]).toBeLessThan(allowedMs(0.05));
});
