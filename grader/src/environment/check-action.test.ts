import type { Space } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { actionCheck, notFinite } from "./check-action.ts";

const box = (shape: number[], dtype?: string): Space => ({
  ...{ name: "Box", shape, low: [-1], high: [1] },
  ...(dtype ? { dtype } : {}),
});
const dict: Space = { name: "Dict", spaces: { speed: box([]), gear: { name: "Discrete", n: 3, start: 1 } } };

describe("the check of an action", () => {
  it.each<[string, Space, unknown]>([
    ["a number of a Discrete", { name: "Discrete", n: 2 }, 1],
    ["a Discrete that starts elsewhere", { name: "Discrete", n: 2, start: -1 }, -1],
    ["numbers beyond the bounds of a Box", box([2]), [5, -7.5]],
    ["a Box without dimensions", box([]), 0.5],
    ["an empty Box", box([0]), []],
    ["a Box of two dimensions", box([2, 1]), [[1], [2]]],
    ["whole numbers of a Box", box([1], "uint8"), [255]],
    ["a MultiDiscrete", { name: "MultiDiscrete", nvec: [2, 3] }, [1, 2]],
    ["a MultiBinary", { name: "MultiBinary", n: 2 }, [0, 1]],
    ["a Dict", dict, { gear: 3, speed: 0.1 }],
    ["a Tuple", { name: "Tuple", spaces: [box([1]), { name: "Text" }] }, [[1], "a"]],
    ["a Text", { name: "Text", max_length: 2 }, "ab"],
    ["anything", { name: "Any" }, { a: [null, "b", 1.5] }],
  ])("takes %s", (_, space, action) => expect(actionCheck(space)(action)).toBeNull());

  it.each<[string, Space, unknown, string]>([
    ["too few numbers", box([18]), Array(17).fill(0), "expected 18 numbers, got 17"],
    ["a number for a list", box([2]), 1, "expected a list of 2 numbers, got 1"],
    ["a flat list for a nested one", box([1, 2]), [1, 2], "expected 1 lists, got 2"],
    ["an infinite number", box([1]), JSON.parse("[1e999]"), "expected a finite number, got Infinity"],
    ["null, as JavaScript writes NaN", box([1]), [null], "expected a finite number, got null"],
    ["what numpy cannot hold", box([1], "float32"), [1e300], "expected a finite number, got 1e+300"],
    ["a byte too large", box([1], "uint8"), [256], "expected a whole number from 0 to 255, got 256"],
    ["a part of a byte", box([1], "uint8"), [0.5], "expected a whole number from 0 to 255, got 0.5"],
    ["a number out of range", { name: "Discrete", n: 2 }, 2, "expected a whole number from 0 to 1, got 2"],
    ["true", { name: "Discrete", n: 2 }, true, "expected a whole number from 0 to 1, got true"],
    [
      "an item out of range",
      { name: "MultiDiscrete", nvec: [2, 3] },
      [0, 3],
      "item 2: expected a whole number from 0 to 2, got 3",
    ],
    ["a field too few", dict, { speed: 1 }, 'expected the field "gear"'],
    ["a field of all objects", dict, JSON.parse('{"__proto__": 1, "speed": 1}'), 'expected the field "gear"'],
    ["a field too many", dict, { speed: 1, gear: 1, x: 1 }, 'unknown field "x"'],
    ["a text too long", { name: "Text", max_length: 1 }, "ab", "expected at most 1 characters, got 2"],
    ["no text", { name: "Text" }, 1, "expected a text, got 1"],
    ["an infinite number anywhere", { name: "Any" }, { a: [Infinity] }, "expected finite numbers"],
  ])("refuses %s", (_, space, action, problem) => expect(actionCheck(space)(action)).toBe(problem));

  it.each<[string, number, number]>([
    ["int8", -128, 127],
    ["int16", -32_768, 32_767],
    ["int32", -(2 ** 31), 2 ** 31 - 1],
    ["int64", -(2 ** 53), 2 ** 53],
    ["uint8", 0, 255],
    ["uint16", 0, 65_535],
    ["uint32", 0, 2 ** 32 - 1],
    ["uint64", 0, 2 ** 53],
    ["float16", -65_504, 65_504],
    ["float32", -3.4e38, 3.4e38],
    ["float64", -Number.MAX_VALUE, Number.MAX_VALUE],
  ])("takes what numpy's %s can hold, and nothing beyond", (dtype, low, high) => {
    const check = actionCheck(box([1], dtype));
    for (const value of [low, high]) expect(check([value])).toBeNull();
    const [below, above] =
      Math.abs(high) < 2 ** 33 ? [low - 1, high + 1] : [low === 0 ? -1 : low * 1.01, high * 1.01];
    for (const value of [below, above]) expect(check([value])).not.toBeNull();
    expect(check([0.5]) === null).toBe(dtype.startsWith("float"));
  });

  it.each<[string, Space, unknown, string]>([
    ["a number below", { name: "Discrete", n: 2 }, -1, "expected a whole number from 0 to 1, got -1"],
    ["a number of an unknown type", box([1], "print"), ["x"], 'expected a finite number, got "x"'],
    ["a later number of many", box([3]), [1, 2, "x"], 'expected a finite number, got "x"'],
    ["no list", { name: "MultiBinary", n: 2 }, "ab", 'expected a list of 2, got "ab"'],
    ["an object for a list", { name: "MultiBinary", n: 1 }, {}, "expected a list of 1, got an object"],
    ["a short list", { name: "MultiBinary", n: 2 }, [1], "expected a list of 2, got 1"],
    ["a long list", { name: "MultiBinary", n: 2 }, [1, 1, 1], "expected a list of 2, got 3"],
    ["a text for an object", dict, "x", 'expected an object, got "x"'],
    ["null for an object", dict, null, "expected an object, got null"],
    ["a list for an object", dict, [1, 2], "expected an object, got a list of 2"],
    ["a wrong field", dict, { speed: 1, gear: 9 }, "gear: expected a whole number from 1 to 3, got 9"],
    ["nothing", { name: "Text" }, undefined, "expected a text, got nothing"],
    ["a list for a text", { name: "Text" }, [1], "expected a text, got a list of 1"],
    [
      "a long text, of which the beginning is shown",
      box([]),
      "x".repeat(59),
      `expected a finite number, got "${"x".repeat(59)} …`,
    ],
    [
      "a text that is shown to its end",
      box([]),
      "x".repeat(58),
      `expected a finite number, got "${"x".repeat(58)}"`,
    ],
  ])("explains what is wrong with %s", (_, space, action, problem) =>
    expect(actionCheck(space)(action)).toBe(problem),
  );

  it("names the first number that is not finite", () => {
    expect(notFinite([1, { speed: [0, -Infinity] }])).toBe(".1.speed.1");
    expect(notFinite(Number.NaN)).toBe("");
    expect(notFinite([1, [Number.NaN]])).toBe(".1.0");
    expect(notFinite([0, "a", null])).toBeNull();
    expect(notFinite(null)).toBeNull();
    expect(notFinite({ a: null, b: "NaN", c: [[]] })).toBeNull();
  });
});
