import { describe, expect, it } from "vitest";
import { CrowdaiError } from "./errors.ts";
import { ExactNumber } from "./exact-json.ts";
import { parseJson, parseLenientJson, toJsonText } from "./json-value.ts";
import { MAX_JSON_DEPTH } from "./message-limits.ts";

/** Returns the error with which a value is refused. */
function refusal(work: () => unknown): CrowdaiError {
  try {
    work();
  } catch (error) {
    if (error instanceof CrowdaiError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("JSON text", () => {
  it.each([
    ["[1, 2.5, -0.1e-3]", [1, 2.5, -0.0001]],
    ['{"a": null, "b": [true, false]}', { a: null, b: [true, false] }],
    [' \t\r\n"one value"\n', "one value"],
    ['"a bracket [ and a brace { and \\" in text"', 'a bracket [ and a brace { and " in text'],
    ["\ufeff[1]", [1]],
    ["1e308", 1e308],
    ['"1e999 and NaN as text"', "1e999 and NaN as text"],
  ])("such as %j becomes a value", (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it.each([
    ["", 1, 1, "a value", "the end of the text"],
    ["nul", 1, 1, "a value", '"nul"'],
    ["undefined", 1, 1, "a value", '"undefined"'],
    ["{", 1, 2, "a property name in double quotes", "the end of the text"],
    ["[1,\n 2,\n]", 3, 1, "a value", '"]"'],
    ['{"a": 1,\r\n}', 2, 1, "a property name in double quotes", '"}"'],
    ["{'a': 1}", 1, 2, "a property name in double quotes", '"\'"'],
    ['{"a" 1}', 1, 6, '":"', '"1"'],
    ['{"a": 1\n "b": 2}', 2, 2, '"," or "}"', "a double quote"],
    ["[1 2]", 1, 4, '"," or "]"', '"2"'],
    ['{"a": 1; "b": 2}', 1, 8, '"," or "}"', '";"'],
    ["01", 1, 2, "the end of the text", '"1"'],
    ["+1", 1, 1, "a value", '"+"'],
    ["[1] // done", 1, 5, "the end of the text", '"/"'],
    ['["never ends', 1, 13, "the end of the string, a double quote", "the end of the text"],
    ['"two\nlines"', 1, 5, "the end of the string, a double quote", '"\\u000a"'],
    ['"\\x41"', 1, 2, "a valid JSON escape", '"\\"'],
    ["\u0000", 1, 1, "a value", '"\\u0000"'],
  ])("that ends to be JSON, as %j, is refused at line and column", (text, line, column, expected, got) => {
    const error = refusal(() => parseJson(text));
    expect(error.code).toBe("value_not_json");
    expect(error.details).toEqual({ line, column, expected, got });
    expect(error.message).toBe(
      `The value is not valid JSON: line ${line}, column ${column}: expected ${expected}, got ${got}.`,
    );
  });

  it.each([
    ["[1,\n  NaN]", 2, 3, "NaN"],
    ['{"a": Infinity}', 1, 7, "Infinity"],
    ["-Infinity", 1, 1, "-Infinity"],
  ])("with a bare number that is none, %j, is refused as not finite", (text, line, column, word) => {
    const error = refusal(() => parseJson(text, "predictions.json"));
    expect(error.code).toBe("value_not_finite");
    expect(error.details).toMatchObject({ line, column });
    expect(error.message).toBe(
      `predictions.json contains ${word} at line ${line}, column ${column}, which JSON cannot represent.`,
    );
  });

  it.each([
    ["1e999", "$"],
    [`${"1".repeat(250)}e99`, "$"],
    ["[0, -1E+400]", "$[1]"],
    [`{"a b": [{"c": ${"9".repeat(310)}}]}`, '$["a b"][0].c'],
  ])("with a number beyond the largest double is refused with its path", (text, path) => {
    const error = refusal(() => parseJson(text));
    expect(error.code).toBe("value_not_finite");
    expect(error.message).toBe(`The value contains a number larger than a double can represent at ${path}.`);
  });

  it("may be nested to the limit, and no deeper", () => {
    expect(() => parseJson(nested(MAX_JSON_DEPTH))).not.toThrow();
    expect(refusal(() => parseJson(nested(MAX_JSON_DEPTH + 1))).code).toBe("value_too_deep");
  });

  it.each([
    ["closed brackets", nested(1_000_000)],
    ["open brackets", "[".repeat(1_000_000)],
    ["objects", '{"a":'.repeat(500_000)],
  ])("nested a million times in %s is refused and overflows nothing", (_, text) => {
    expect(refusal(() => parseJson(text)).code).toBe("value_too_deep");
  });

  it("treats properties such as __proto__ as data", () => {
    const value = parseJson('{"__proto__": {"admin": true}, "constructor": 1}') as Record<string, unknown>;
    expect(value.admin).toBeUndefined();
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it("of 100,000 numbers is parsed quickly", () => {
    const text = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => i / 7));
    const start = process.cpuUsage();
    expect(parseJson(text)).toHaveLength(100_000);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(1000);
  });

  it("of ten million digits is parsed quickly, too", () => {
    const text = JSON.stringify(Array.from({ length: 50_000 }, () => 0)).replaceAll("0", "1".repeat(200));
    const start = process.cpuUsage();
    expect(parseJson(text)).toHaveLength(50_000);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2000);
  });
});

describe("JSON text of a program that writes NaN", () => {
  it("is read with null in its place, and the place", () => {
    const text = '{"score": 1, "meta": {"loss": NaN, "all": [1, -Infinity, 1e999]}, "text": "NaN"}';
    expect(parseLenientJson(text)).toEqual({
      value: { score: 1, meta: { loss: null, all: [1, null, null] }, text: "NaN" },
      notFinite: ["meta.loss", "meta.all.1", "meta.all.2"],
    });
    expect(parseLenientJson("[NaN, 9007199254740993]").value).toEqual([
      null,
      new ExactNumber("9007199254740993"),
    ]);
    expect(parseLenientJson("[1]")).toEqual({ value: [1], notFinite: [] });
  });

  it.each(["{NaN: 1}", "[NaN", "[NaNa]", "[NaN 1]", "[-NaNs]"])(
    "is refused where it is not JSON otherwise: %s",
    (text) => {
      expect(refusal(() => parseLenientJson(text)).code).toMatch("value_not_");
    },
  );
});

describe("a JavaScript value", () => {
  class Prediction {
    score = 1;
  }

  it.each<[string, unknown, string]>([
    ["a list", [1, "two", null, true], '[1,"two",null,true]'],
    ["an object", { a: { b: [] } }, '{"a":{"b":[]}}'],
    ["a typed array", new Float64Array([0.5, 2]), "[0.5,2]"],
    ["typed arrays inside", { x: [new Uint8Array([1, 2])] }, '{"x":[[1,2]]}'],
    ["a buffer", Buffer.from("hi"), "[104,105]"],
    ["a date", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ["an object of a class", new Prediction(), '{"score":1}'],
    ["one without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ["a boxed number", [Object(3)], "[3]"],
    ["properties that are undefined", { a: undefined, b: 1 }, '{"b":1}'],
    ["a list with holes", [1, undefined, new Array(1)], "[1,null,[null]]"],
    ["minus zero", -0, "0"],
    ["a BigInt", { n: 1460323737035677698n }, '{"n":1460323737035677698}'],
    ["BigInts in a typed array", new BigUint64Array([2n ** 64n - 1n]), "[18446744073709551615]"],
    ["a number of a JSON text", parseJson("[9007199254740993]"), "[9007199254740993]"],
    ["an own property named __proto__", JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ])("becomes JSON text: %s", (_, value, text) => {
    expect(toJsonText(value)).toBe(text);
  });

  it.each<[string, unknown, string]>([
    ["NaN", Number.NaN, "NaN at $,"],
    ["Infinity", { predictions: [0, Number.POSITIVE_INFINITY] }, "Infinity at $.predictions[1],"],
    ["NaN in a typed array", { p: new Float32Array([1, Number.NaN]) }, "NaN at $.p[1],"],
    ["NaN below odd names", { "a b": { "x.y": Number.NaN } }, 'NaN at $["a b"]["x.y"],'],
  ])("with %s is refused with its path, since JSON would make it null", (_, value, part) => {
    const error = refusal(() => toJsonText(value));
    expect(error.code).toBe("value_not_finite");
    expect(error.message).toContain(part);
  });

  it.each<[string, unknown, string]>([
    ["undefined", undefined, "undefined"],
    ["a function", { f: () => 1 }, "a function at $.f"],
    ["a symbol", [Symbol("x")], "a symbol at $[0]"],
    ["a Map", { m: new Map([[1, 2]]) }, "a Map at $.m"],
    ["a Set", new Set([1]), "a Set at $"],
    ["an ArrayBuffer", new ArrayBuffer(2), "an ArrayBuffer at $"],
    ["a DataView", [new DataView(new ArrayBuffer(2))], "a DataView at $[0]"],
  ])("that JSON cannot represent, such as %s, is refused by name and not lost", (_, value, part) => {
    const error = refusal(() => toJsonText(value));
    expect(error.code).toBe("value_not_json");
    expect(error.message).toContain(part);
  });

  it.each([
    [{ tweets: [{ id: 2 ** 53 }] }, "9007199254740992 at $.tweets[0].id,"],
    [[-1e20], "-100000000000000000000 at $[0],"],
  ])("of a program may hold an integer that lost digits, which is refused with its path", (value, part) => {
    const error = refusal(() => toJsonText(value, { safeIntegers: true }));
    expect(error.code).toBe("value_not_exact");
    expect(error.message).toContain(part);
  });

  it("of a program may hold large numbers that look like decimals", () => {
    const value = { a: [2 ** 53 - 1, 1e21, -1e300], b: new Float64Array([2 ** 53]) };
    expect(toJsonText(value, { safeIntegers: true })).toBe(
      '{"a":[9007199254740991,1e+21,-1e+300],"b":[9007199254740992]}',
    );
  });

  it("that contains itself is refused", () => {
    const list: unknown[] = [];
    list.push({ list });
    expect(refusal(() => toJsonText(list)).code).toBe("value_too_deep");
  });

  it("may be nested to the broker's limit, and no deeper", () => {
    expect(toJsonText(JSON.parse(nested(MAX_JSON_DEPTH)))).toBe(nested(MAX_JSON_DEPTH));
    expect(refusal(() => toJsonText(JSON.parse(nested(MAX_JSON_DEPTH + 1)))).code).toBe("value_too_deep");
  });

  it("with a very long name is refused with a message of bounded length", () => {
    const error = refusal(() => toJsonText({ ["k".repeat(1_000_000)]: Number.NaN }));
    expect(error.message.length).toBeLessThan(300);
  });
});
