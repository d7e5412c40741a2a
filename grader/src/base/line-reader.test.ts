import { describe, expect, it } from "vitest";
import { createLineReader } from "./line-reader.ts";
import { createTail } from "./tail.ts";

describe("the line reader", () => {
  function read(chunks: string[], limit = 10) {
    const lines: string[] = [];
    let tooLong = 0;
    const reader = createLineReader(
      limit,
      (line) => lines.push(line.toString()),
      () => tooLong++,
    );
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    return { lines, tooLong, rest: reader.rest().toString() };
  }

  it("returns the same lines however the stream is split", () => {
    const text = "one\n\nthree\nrest";
    const expected = { lines: ["one", "", "three"], tooLong: 0, rest: "rest" };
    expect(read([text])).toEqual(expected);
    expect(read([...text])).toEqual(expected);
    expect(read(["one\n\nth", "ree\nre", "st"])).toEqual(expected);
  });

  it("accepts a line of exactly the limit, and reports a longer one once and drops the rest", () => {
    expect(read(["0123456789\n"])).toMatchObject({ lines: ["0123456789"], tooLong: 0 });
    expect(read(["ok\n01234", "567890", "more\nmore\n"])).toEqual({ lines: ["ok"], tooLong: 1, rest: "" });
  });
});

describe("the tail", () => {
  it("keeps the last bytes and reports how many it dropped", () => {
    const tail = createTail(4);
    for (const text of ["ab", "cd", "efg"]) tail.add(Buffer.from(text));
    expect(tail.text()).toBe("… (first 3 bytes omitted)\ndefg");
    tail.clear();
    tail.add(Buffer.from("new"));
    expect(tail.text()).toBe("new");
  });
});
