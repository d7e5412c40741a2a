import { parseAst } from "rolldown/parseAst";
import { expect, it } from "vitest";
import { ignoredText } from "./ignored-text.ts";

it.each([
  [`log.warn({ a }, "message")`, true],
  [`options.log.debug(a)`, true],
  [`login(a)`, false],
])("%s is left alone: %s", (code, expected) => {
  expect(ignoredText({ node: expressionOf(code), parent: null }) !== undefined).toBe(expected);
});

it.each([
  [`new CrowdaiError("code", \`a \${b}\`, { a })`, [false, true, false]],
  [`new Error(a, { cause })`, [true, false]],
  [`new Map(a)`, [false]],
  [`schema.describe(a)`, [true]],
  [`schema.min(a)`, [false]],
])("the arguments of %s are left alone: %o", (code, expected) => {
  const parent = expressionOf(code);
  expect(parent.arguments.map((node: never) => ignoredText({ node, parent }) !== undefined)).toEqual(
    expected,
  );
});

// biome-ignore lint/suspicious/noExplicitAny: a syntax tree of some expression
function expressionOf(code: string): any {
  const [statement] = parseAst(code).body;
  return (statement as unknown as { expression: unknown }).expression;
}
