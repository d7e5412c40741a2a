import { expect, it } from "vitest";
import { intentInputSchema } from "./intent.ts";
import { filePartsOf, MAX_PARTS, partCount, partSizeFor } from "./upload-parts.ts";

const MIB = 1024 * 1024;

it.each([
  [1, 8 * MIB, 1],
  [8 * MIB, 8 * MIB, 1],
  [8 * MIB + 1, 8 * MIB, 2],
  [64 * MIB, 8 * MIB, 8],
  [65 * MIB, 9 * MIB, 8],
  [256 * MIB, 32 * MIB, 8],
  [2 * 1024 * MIB, 32 * MIB, 64],
  [10_000 * 32 * MIB, 32 * MIB, 10_000],
  [10_000 * 32 * MIB + 1, 33 * MIB, 9697],
  [5 * 1024 ** 4, 525 * MIB, 9987],
])("%d bytes go in parts of %d", (size, partSize, count) => {
  expect(partSizeFor(size)).toBe(partSize);
  expect(partCount(size, partSize)).toBe(count);
  expect(count).toBeLessThanOrEqual(MAX_PARTS);
});

it("splits a file without gaps, with the remainder last", () => {
  const md5 = ["a", "b", "c"].map((c) => c.repeat(32));
  expect(filePartsOf(20 * MIB, { size: 8 * MIB, md5 })).toEqual([
    { number: 1, offset: 0, size: 8 * MIB, md5: md5[0] },
    { number: 2, offset: 8 * MIB, size: 8 * MIB, md5: md5[1] },
    { number: 3, offset: 16 * MIB, size: 4 * MIB, md5: md5[2] },
  ]);
});

const announced = (size: number, parts: unknown) => ({
  kind: "file",
  name: "p.csv",
  size,
  sha256: "0".repeat(64),
  parts,
});
const md5 = "0".repeat(32);

it("accepts an announcement whose parts cover the file, or without parts", () => {
  const inputs = [
    announced(1, undefined),
    announced(1, { size: 8 * MIB, md5: [md5] }),
    announced(8 * MIB + 1, { size: 8 * MIB, md5: [md5, md5] }),
  ];
  for (const input of inputs) expect(intentInputSchema.safeParse(input).success).toBe(true);
});

it.each([
  ["too few parts", announced(8 * MIB + 1, { size: 8 * MIB, md5: [md5] })],
  ["too many parts", announced(8 * MIB, { size: 8 * MIB, md5: [md5, md5] })],
  ["none at all", announced(1, { size: 8 * MIB, md5: [] })],
  ["more than a store takes", announced(10_001 * 8 * MIB, { size: 8 * MIB, md5: Array(10_001).fill(md5) })],
  ["parts smaller than a store takes", announced(2, { size: 1, md5: [md5, md5] })],
  ["a digest that is none", announced(1, { size: 8 * MIB, md5: ["0".repeat(31)] })],
])("refuses an announcement with %s", (_, input) => {
  expect(intentInputSchema.safeParse(input).success).toBe(false);
});
