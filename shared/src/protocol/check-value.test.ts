import { describe, expect, it } from "vitest";
import { checkValue, jsonSchemaErrors } from "./check-value.ts";
import { CrowdaiError } from "./errors.ts";

const schema = {
  type: "object",
  required: ["predictions"],
  additionalProperties: false,
  properties: {
    predictions: { type: "array", minItems: 2, items: { type: "number" } },
    kind: { enum: ["fast", "exact"] },
    model: { $ref: "#/$defs/model" },
    source: {
      anyOf: [
        { type: "string" },
        { type: "object", required: ["url"], properties: { url: { type: "string", maxLength: 20 } } },
      ],
    },
  },
  $defs: { model: { type: "object", properties: { layers: { type: "integer", minimum: 1 } } } },
};
const good = { predictions: [0.5, 1] };

/** The mistakes told, as their lines in the message. */
function problems(value: unknown, against: unknown = schema): string[] {
  try {
    checkValue(value, against);
  } catch (error) {
    if (!(error instanceof CrowdaiError) || error.code !== "value_schema") throw error;
    const [first, ...lines] = error.message.split("\n");
    expect(first).toBe("The value does not match the challenge's schema:");
    return lines.map((line) => line.slice(2));
  }
  return [];
}

describe("a value checked against a challenge's schema", () => {
  it("passes when it matches", () => {
    expect(problems({ ...good, kind: "fast", model: { layers: 3 }, source: "a" })).toEqual([]);
  });

  it.each([undefined, null, true])("always passes when the schema is %s", (none) => {
    expect(() => checkValue({ anything: [1] }, none)).not.toThrow();
  });

  it("always fails when the schema is false", () => {
    expect(problems(1, false)).toEqual(['$: no value is allowed here (rule "false schema")']);
  });

  it.each<[string, unknown, string[]]>([
    [
      "of the wrong type, with its index",
      { predictions: [1, 2, 3, "four"] },
      ['$.predictions[3]: expected number, got string (rule "type")'],
    ],
    ["that misses a property", {}, ['$: the property "predictions" is missing (rule "required")']],
    ["of another kind altogether", [1, 2], ['$: expected object, got array (rule "type")']],
    ["null", null, ['$: expected object, got null (rule "type")']],
    [
      "not among those listed",
      { ...good, kind: "slow" },
      ['$.kind: expected one of "fast", "exact", got "slow" (rule "enum")'],
    ],
    [
      "with too few items",
      { predictions: [1] },
      ['$.predictions: expected at least 2 items, got 1 (rule "minItems")'],
    ],
    [
      "with an unknown property",
      { ...good, kynd: "fast" },
      ['$: the property "kynd" is unknown; did you mean "kind"? (rule "additionalProperties")'],
    ],
    [
      "that breaks a rule behind a reference",
      { ...good, model: { layers: 0 } },
      ['$.model.layers: expected at least 1, got 0 (rule "minimum")'],
    ],
    [
      "that fits no alternative",
      { ...good, source: 4 },
      ['$.source: expected string or object, got 4 (rule "anyOf")'],
    ],
    [
      "that nearly matches one alternative",
      { ...good, source: { url: "x".repeat(21) } },
      ['$.source.url: expected at most 20 characters, got 21 (rule "maxLength")'],
    ],
    [
      "that misses a property of one alternative",
      { ...good, source: {} },
      ['$.source: the property "url" is missing (rule "required")'],
    ],
  ])("gets the place and the reason when it is %s", (_, value, told) => {
    expect(problems(value)).toEqual(told);
  });

  it("reports several errors at once, but at most five", () => {
    expect(problems({ predictions: ["a"], kind: 1 })).toHaveLength(3);
    expect(problems({ predictions: Array.from({ length: 100 }, () => "a") })).toHaveLength(5);
  });

  it("reports its errors as details for programs, too", () => {
    try {
      checkValue({ predictions: [1, 2, "x"] }, schema);
      expect.unreachable();
    } catch (error) {
      expect((error as CrowdaiError).details).toEqual({
        mistakes: [
          {
            path: "$.predictions[2]",
            pointer: "/predictions/2",
            rule: "type",
            message: "expected number, got string",
          },
        ],
      });
    }
  });

  it("does not find a required property in a prototype", () => {
    expect(problems(JSON.parse('{"__proto__": {"predictions": [1, 2]}}'))).toEqual([
      '$: the property "predictions" is missing (rule "required")',
      '$: the property "__proto__" is unknown (rule "additionalProperties")',
    ]);
    expect(problems(JSON.parse('{"predictions": [1, 2], "constructor": 1}'))).toEqual([
      '$: the property "constructor" is unknown (rule "additionalProperties")',
    ]);
    expect(problems({}, { required: ["toString"] })).toEqual([
      '$: the property "toString" is missing (rule "required")',
    ]);
  });

  it("with a very long name or text gets a message of bounded length", () => {
    const [line] = problems({ ...good, ["k".repeat(1_000_000)]: 1 });
    expect(line?.length).toBeLessThan(200);
    const [other] = problems({ ...good, kind: "v".repeat(1_000_000) });
    expect(other?.length).toBeLessThan(200);
  });

  it("cannot write control characters to the terminal", () => {
    const [line] = problems({ ...good, "\u001b[2Jx": 1 });
    expect(line).toContain('"\\u001b[2Jx"');
  });

  it("that is deeply nested is refused by a recursive schema without a stack overflow", () => {
    const tree = {
      $ref: "#/$defs/tree",
      $defs: { tree: { type: "array", items: { $ref: "#/$defs/tree" } } },
    };
    let value: unknown[] = [];
    for (let depth = 0; depth < 200_000; depth++) value = [value];
    expect(() => checkValue(value, tree)).toThrow(expect.objectContaining({ code: "value_too_deep" }));
  });

  it("is checked by draft 7 when the schema names it", () => {
    const tuple = {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "array",
      items: [{ type: "string" }, { type: "number" }],
    };
    expect(problems(["a", 1], tuple)).toEqual([]);
    expect(problems([1, 1], tuple)).toEqual(['$[0]: expected string, got number (rule "type")']);
  });

  it("is checked correctly by two schemas with the same $id", () => {
    const $id = "https://example.org/predictions";
    expect(problems(1, { $id, type: "number" })).toEqual([]);
    expect(problems(1, { $id, type: "string" })).toEqual(['$: expected string, got number (rule "type")']);
  });

  it("of 100,000 numbers is checked quickly, valid or not", () => {
    const numbers = Array.from({ length: 100_000 }, (_, i) => i / 7);
    const start = process.cpuUsage();
    expect(problems({ predictions: numbers })).toEqual([]);
    expect(problems({ predictions: numbers.map(String) })).toHaveLength(1);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(2000);
  });
});

describe("a list of distinct items", () => {
  const distinct = { type: "array", uniqueItems: true };

  it.each<[string, unknown[]]>([
    ["numbers", [1, 2, 3]],
    ["a number and its text", [1, "1"]],
    ["null, false and zero", [null, false, 0, ""]],
    ["objects", [{ a: 1 }, { a: 2 }]],
    ["text that looks like an object", [{ a: 1 }, '{"a":1}']],
  ])("may hold %s", (_, list) => {
    expect(problems(list, distinct)).toEqual([]);
  });

  it.each<[string, unknown[], [number, number]]>([
    ["a number twice", [1, 2, 1], [0, 2]],
    ["equal objects in another order of properties", [0, { a: 1, b: [2] }, { b: [2], a: 1 }], [1, 2]],
    ["equal lists", [[1], [2], [1]], [0, 2]],
  ])("may not hold %s", (_, list, [one, other]) => {
    expect(problems(list, distinct)).toEqual([
      `$: expected distinct items, but items ${one} and ${other} are equal (rule "uniqueItems")`,
    ]);
  });

  it("is checked in one pass, so that 100,000 objects are fast", () => {
    const list = Array.from({ length: 100_000 }, (_, id) => ({ id }));
    const start = process.cpuUsage();
    expect(problems(list, distinct)).toEqual([]);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(3000);
  });
});

describe("a schema of a challenge", () => {
  it.each<[string, unknown]>([
    ["true", true],
    ["an empty one", {}],
    ["one with references", schema],
    ["a draft 7 one", { $schema: "http://json-schema.org/draft-07/schema#", definitions: {}, type: "array" }],
    ["a tree that refers to itself", { $ref: "#/$defs/t", $defs: { t: { items: { $ref: "#/$defs/t" } } } }],
  ])("has no fault when it is %s", (_, given) => {
    expect(jsonSchemaErrors(given)).toEqual([]);
  });

  it.each<[string, object, string, RegExp]>([
    [
      "an unknown type",
      { properties: { a: { type: "strng" } } },
      "/properties/a/type",
      /"string".*got "strng"/,
    ],
    ["a misspelt rule", { type: "object", requierd: ["a"] }, "", /unknown keyword: "requierd"/],
    ["an invalid rule", { minItems: "three" }, "/minItems", /expected integer, got string/],
    ["a reference to nothing", { $ref: "#/$defs/none" }, "", /can't resolve reference #\/\$defs\/none/],
    ["a reference to the web", { $ref: "https://example.org/s.json" }, "", /can't resolve reference/],
    ["a pattern that is none", { type: "string", pattern: "(" }, "", /[Ii]nvalid regular expression/],
    ["a reference to itself", { $ref: "#" }, "", /refers to itself/],
  ])("has a fault when it has %s", (_, given, pointer, message) => {
    const faults = jsonSchemaErrors(given);
    expect(faults[0]?.pointer).toBe(pointer);
    expect(faults[0]?.message).toMatch(message);
  });

  it("that is invalid fails a check with config_invalid", () => {
    expect(() => checkValue(1, { type: "strng" })).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });
});
