import { expect, test } from "vitest";
import { createReadMemory } from "./read-memory.ts";

function memory(maxBytes?: number) {
  const records = { version: 1, state: async () => String(records.version) };
  return { records, now: createReadMemory(() => records, maxBytes) };
}
const about = {};

test("reads once between two changes, and again after each", async () => {
  const { records, now } = memory();
  let reads = 0;
  const read = async () => (await now())(about, ["board"], async () => ++reads);
  expect([await read(), await read()]).toEqual([1, 1]);
  records.version++;
  expect([await read(), await read()]).toEqual([2, 2]);
});

test("shares one read among requests at once", async () => {
  const { now } = memory();
  let reads = 0;
  const read = async () => (await now())(about, ["file"], async () => ++reads);
  expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
});

test("never shows a later request what was read before a change, however long the read took", async () => {
  const { records, now } = memory();
  let answer = (_: string) => {};
  const slow = (await now())(about, ["board"], () => new Promise<string>((resolve) => (answer = resolve)));
  records.version++;
  const later = await now();
  answer("before");
  expect(await slow).toBe("before");
  expect(await later(about, ["board"], async () => "after")).toBe("after");
  expect(await (await now())(about, ["board"], async () => "again")).toBe("after");
});

test("tells apart what a read is about, and the values that it depends on", async () => {
  const { now } = memory();
  const remember = await now();
  const read = (of: object, ...values: unknown[]) =>
    remember(of, values, async () => JSON.stringify([of, values]));
  const [one, other] = [{ title: "One" }, { title: "Other" }];
  for (const values of [[1, null], [null, 1], ["1", null], [{ limit: 1 }], []])
    for (const of of [one, other]) expect(await read(of, ...values)).toBe(JSON.stringify([of, values]));
});

test("remembers that there is nothing", async () => {
  const remember = await memory().now();
  let reads = 0;
  const read = () => remember(about, ["absent"], async () => void reads++);
  expect([await read(), await read(), reads]).toEqual([undefined, undefined, 1]);
});

test("does not remember a failure", async () => {
  const { now } = memory();
  const remember = await now();
  await expect(remember(about, ["board"], () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(await remember(about, ["board"], async () => 1)).toBe(1);
});

test("reads again what did not fit", async () => {
  const { now } = memory(10_000);
  const remember = await now();
  let reads = 0;
  const read = () => remember(about, ["file"], async () => `${"x".repeat(10_000)}${++reads}`);
  expect([(await read()).at(-1), (await read()).at(-1)]).toEqual(["1", "2"]);
});
