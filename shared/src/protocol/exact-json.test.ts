import { describe, expect, it } from "vitest";
import { checkValue } from "./check-value.ts";
import { ExactNumber, isExactNumber, parseExact, stringifyExact } from "./exact-json.ts";

/** Numbers that a double changes. */
const CHANGED = [
  "9007199254740993",
  "-9007199254740993",
  "1460323737035677698",
  "18446744073709551615",
  "1e-999",
  "12345678901234567890123e-2",
  "0.12345678901234567890",
];
const UNCHANGED = [
  "0",
  "-1",
  "9007199254740992",
  "0.1",
  "1e308",
  "5e-324",
  "0.30000000000000004",
  "1E+2",
  "1.50",
];

describe("exact JSON", () => {
  it.each(CHANGED)("keeps every digit of %s", (number) => {
    const text = `{"a":[${number}],"b c":{"d":${number}}}`;
    const value = parseExact(text) as { a: unknown[] };
    expect(isExactNumber(value.a[0])).toBe(true);
    expect(String(value.a[0])).toBe(number);
    expect(stringifyExact(value)).toBe(text);
  });

  it.each(UNCHANGED)("reads %s as a JavaScript number", (number) => {
    expect(parseExact(`[${number}]`)).toEqual([Number(number)]);
  });

  it("keeps the spelling of numbers on request: of all, or of those below data", () => {
    const text = '{"size":1.0,"input":{"data":[1.0,-0,1E2,0.50]},"big":9007199254740993}';
    expect(stringifyExact(parseExact(text, "all"))).toBe(text);
    expect(stringifyExact(parseExact(text, "data"))).toBe(text.replace('"size":1.0', '"size":1'));
    expect((parseExact(text, "data") as { size: unknown }).size).toBe(1);
  });

  it("leaves digits in strings and names alone", () => {
    const text = '{"9007199254740993":"9007199254740993","\\"1460323737035677698":["\\\\",1]}';
    expect(parseExact(text)).toEqual(JSON.parse(text));
  });

  it("refuses what JSON.parse refuses", () => {
    for (const text of [
      "{9007199254740993:1}",
      "[09007199254740993]",
      "[9007199254740993.]",
      "9007199254740993 1",
    ])
      expect(() => parseExact(text)).toThrow(SyntaxError);
  });

  it("sets properties such as __proto__ as data", () => {
    const value = parseExact('{"__proto__":9007199254740993}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyExact(value)).toBe('{"__proto__":9007199254740993}');
  });

  it("compares numbers as the integers and decimals that they are", () => {
    const [id] = parseExact("[1460323737035677698]") as [ExactNumber];
    expect(id.valueOf()).toBe(1460323737035677698n);
    expect(BigInt(id as never)).toBe(1460323737035677698n);
    expect(new ExactNumber("0.12345678901234567890").valueOf()).toBe(0.12345678901234568);
    expect(() => new ExactNumber('1,"admin":1')).toThrow(TypeError);
  });

  it("of many numbers is parsed quickly", () => {
    const text = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => i / 7)).replace(
      "]",
      ",9007199254740993]",
    );
    const start = process.cpuUsage();
    expect(parseExact(text)).toHaveLength(100_001);
    parseExact(`[1${"0".repeat(1_000_000)}1]`);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
  });
});

describe("a schema", () => {
  const ids = parseExact("[1460323737035677698, 1460323737035677699]");

  it("takes exact numbers as numbers", () => {
    expect(() =>
      checkValue(ids, { items: { type: "integer", minimum: 1 }, uniqueItems: true }),
    ).not.toThrow();
    expect(() => checkValue(ids, { items: { type: "string" } })).toThrow("string");
    expect(() => checkValue(ids, { items: { maximum: 10 } })).toThrow("10");
  });

  it("finds equal exact numbers", () => {
    for (const text of ["[9007199254740993, 9007199254740993]", "[[1.0], [1], [2, 9007199254740993]]"])
      expect(() => checkValue(parseExact(text, "all"), { uniqueItems: true })).toThrow("distinct");
  });
});
