import { describe, expect, it } from "vitest";
import { isWellFramed } from "./binary-framing.ts";

const framed = (...packets: string[]) =>
  Buffer.concat(
    packets.flatMap((packet) => [
      Buffer.from([0, ...String(Buffer.byteLength(packet))].map(Number)),
      Buffer.from([255]),
      Buffer.from(packet),
    ]),
  );

describe("binary framing", () => {
  it("may carry one or many packets, with lengths in bytes", () => {
    expect(isWellFramed(framed("2"))).toBe(true);
    expect(isWellFramed(framed('42["é"]', "2probe", `4${"x".repeat(1234)}`))).toBe(true);
  });

  it.each([
    ["nothing", []],
    ["text framing", [...Buffer.from("1:2")]],
    ["no end of the length", [0, 1]],
    ["no length", [0, 255, 50]],
    ["a length that is not a digit", [0, 10, 255, 50]],
    ["a length with more digits than any message", [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 255, 50]],
    ["a length of nothing", [0, 0, 255]],
    ["a kind that is neither text nor binary", [2, 1, 255, 50]],
    ["fewer bytes than announced", [0, 9, 255, 50]],
    ["more bytes than announced", [0, 1, 255, 50, 50]],
    ["more packets than any client sends", Array(10_001).fill([0, 1, 255, 50]).flat()],
  ])("is malformed by %s", (_, bytes) => {
    expect(isWellFramed(Uint8Array.from(bytes))).toBe(false);
  });
});
