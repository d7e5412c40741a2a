import { expect, test } from "vitest";
import { createBoundedMemory } from "./bounded-memory.ts";

test("keeps what was used last, within its bytes", () => {
  const memory = createBoundedMemory<number>(3000);
  memory.set("a", 1, 600);
  memory.set("b", 2, 600);
  memory.set("c", 3, 600);
  expect(memory.get("a")).toBe(1);
  memory.set("d", 4, 600);
  expect([memory.get("a"), memory.get("b"), memory.get("c"), memory.get("d")]).toEqual([1, undefined, 3, 4]);
  expect(memory.bytes).toBeLessThanOrEqual(3000);
});

test("counts a value that is replaced or removed no longer", () => {
  const memory = createBoundedMemory<number>(3000);
  for (let i = 0; i < 10; i++) memory.set("a", i, 1000);
  expect(memory.get("a")).toBe(9);
  const { bytes } = memory;
  expect(bytes).toBeLessThan(1500);
  memory.set("b", 1, 100);
  memory.delete("b");
  expect(memory.bytes).toBe(bytes);
  memory.clear();
  expect([memory.bytes, memory.get("a")]).toEqual([0, undefined]);
});

test("does not keep what is larger than all of it, and forgets what had the name before", () => {
  const memory = createBoundedMemory<string>(3000);
  memory.set("a", "small", 100);
  memory.set("a", "large", 5000);
  expect([memory.get("a"), memory.bytes]).toEqual([undefined, 0]);
});
