import { expect, it } from "vitest";
import { createKeyedMutex } from "./keyed-mutex.ts";

it("work with one key runs in order, also after a failure, and other keys do not wait", async () => {
  const mutex = createKeyedMutex();
  const ran: string[] = [];
  const first = Promise.withResolvers<void>();
  const failing = mutex.runExclusive("a", async () => {
    await first.promise;
    ran.push("a1");
    throw new Error("failed");
  });
  const second = mutex.runExclusive("a", async () => ran.push("a2"));
  await mutex.runExclusive("b", async () => ran.push("b"));
  expect(ran).toEqual(["b"]);
  first.resolve();
  await expect(failing).rejects.toThrow("failed");
  await second;
  expect(ran).toEqual(["b", "a1", "a2"]);
});
