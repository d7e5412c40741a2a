import { expect, it } from "vitest";
import { singleRange } from "./byte-range.ts";

it.each([
  [null, 10, null],
  ["bytes=0-0", 10, { start: 0, end: 0 }],
  ["bytes=3-", 10, { start: 3, end: 9 }],
  ["bytes=-4", 10, { start: 6, end: 9 }],
  ["bytes=-40", 10, { start: 0, end: 9 }],
  ["bytes=2-99999999999999999999", 10, { start: 2, end: 9 }],
  ["bytes=9-9", 10, { start: 9, end: 9 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-5", 0, "unsatisfiable"],
  ["bytes=5-2", 10, null],
  ["bytes=0-1,3-4", 10, null],
  ["bytes=-", 10, null],
  ["items=0-1", 10, null],
  ["kilobytes=0-1", 10, null],
  ["bytes=a-b", 10, null],
] as const)("%s of %d bytes is %o", (header, size, range) => {
  expect(singleRange(header, size)).toEqual(range);
});
