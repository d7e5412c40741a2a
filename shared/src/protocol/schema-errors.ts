import type { ErrorObject } from "ajv";
import { pathTo } from "./json-value.ts";
import { quoted, suggest } from "./suggest.ts";

/** An error in a value: its path, the schema rule that it breaks, and what was expected. */
export interface SchemaError {
  /** For example `$.predictions[3]`. */
  path: string;
  rule: string;
  message: string;
  /** The path as a JSON pointer. */
  pointer: string;
}

/**
 * Describes the validator's errors for people. Of a union it reports only the branch that was meant, of a
 * wrapper only its content.
 */
export function describeSchemaErrors(errors: readonly ErrorObject[], value: unknown): SchemaError[] {
  const kept: ErrorObject[] = [];
  for (const error of errors) {
    if (error.keyword === "anyOf" || error.keyword === "oneOf")
      kept.push(...meantBranch(error, takeBranches(kept, error)));
    else if (error.keyword === "if" || error.keyword === "propertyNames") {
      // The wrapped errors come just before. Those of a property name are dropped, because this error shows
      // the name.
      if (error.keyword === "propertyNames") takeBranches(kept, error);
      if (error.keyword === "propertyNames" || kept.length === 0) kept.push(error);
    } else kept.push(error);
  }
  const reported = new Set<string>();
  return kept
    .map((error) => ({
      path: readablePath(error.instancePath, value),
      rule: error.keyword,
      message: describe(error),
      pointer: error.instancePath,
    }))
    .filter(({ path, message }) => !reported.has(path + message) && reported.add(path + message));
}

/**
 * Removes from the end of `kept` the errors of a union's branches (or of the schema inside a wrapper), and
 * returns them.
 */
function takeBranches(kept: ErrorObject[], union: ErrorObject): ErrorObject[] {
  const siblings = union.schemaPath.slice(0, union.schemaPath.lastIndexOf("/") + 1);
  const isBranch = (error: ErrorObject) =>
    (error.instancePath === union.instancePath || error.instancePath.startsWith(`${union.instancePath}/`)) &&
    (error.schemaPath.startsWith(`${union.schemaPath}/`) || !error.schemaPath.startsWith(siblings));
  let from = kept.length;
  while (from > 0 && isBranch(kept[from - 1]!)) from--;
  return kept.splice(from);
}

/**
 * Returns the errors of the branch that matched deepest. When none matched, combines their expectations into
 * one error.
 */
function meantBranch(union: ErrorObject, branches: ErrorObject[]): ErrorObject[] {
  if (branches.length === 0) return [union];
  const deeper = branches.filter(
    ({ instancePath, keyword }) =>
      instancePath.length > union.instancePath.length ||
      ["required", "additionalProperties"].includes(keyword),
  );
  if (deeper.length > 0) return deeper;
  const [first] = branches as [ErrorObject];
  if (branches.length === 1) return [first];
  const expected = [...new Set(branches.map(expectation))].join(" or ");
  return [{ ...union, params: { ...union.params, expected } }];
}

function describe(error: ErrorObject): string {
  const { keyword, params, parentSchema, data } = error;
  switch (keyword) {
    case "required":
      return `the property ${quoted(params.missingProperty)} is missing`;
    case "dependentRequired":
    case "dependencies":
      return `the property ${quoted(params.missingProperty)} is missing; ${quoted(params.property)} requires it`;
    case "additionalProperties":
    case "unevaluatedProperties": {
      const name: string = params.additionalProperty ?? params.unevaluatedProperty;
      const near = suggest(name, Object.keys((parentSchema?.properties as object | undefined) ?? {}));
      return `the property ${quoted(name)} is unknown${near === null ? "" : `; did you mean ${quoted(near)}?`}`;
    }
    case "propertyNames":
      return `the property name ${quoted(params.propertyName)} is not allowed`;
    case "uniqueItems":
      return `expected distinct items, but items ${params.j} and ${params.i} are equal`;
    case "contains":
      return `expected at least ${params.minContains} items that match "contains"`;
    case "not":
      return "the schema excludes this value";
    case "false schema":
      return "no value is allowed here";
    case "oneOf":
      if (params.passingSchemas) return "matches more than one alternative, but must match exactly one";
      return `expected ${expectation(error)}, got ${actual(error, data)}`;
    default:
      return `expected ${expectation(error)}, got ${actual(error, data)}`;
  }
}

function expectation({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case "type":
      return [params.type].flat().join(" or ");
    case "enum":
      return oneOf(params.allowedValues);
    case "const":
      return shown(params.allowedValue);
    case "minItems":
    case "maxItems":
      return `${atLeastOrMost(keyword, params.limit)} ${params.limit === 1 ? "item" : "items"}`;
    case "minLength":
    case "maxLength":
      return `${atLeastOrMost(keyword, params.limit)} ${params.limit === 1 ? "character" : "characters"}`;
    case "minProperties":
    case "maxProperties":
      return `${atLeastOrMost(keyword, params.limit)} ${params.limit === 1 ? "property" : "properties"}`;
    case "minimum":
      return `at least ${params.limit}`;
    case "maximum":
      return `at most ${params.limit}`;
    case "exclusiveMinimum":
      return `more than ${params.limit}`;
    case "exclusiveMaximum":
      return `less than ${params.limit}`;
    case "multipleOf":
      return `a multiple of ${params.multipleOf}`;
    case "pattern":
      return `text that matches ${params.pattern}`;
    case "items":
    case "additionalItems":
    case "unevaluatedItems":
      return `at most ${params.limit ?? params.len} items`;
    case "anyOf":
    case "oneOf":
      return params.expected ?? "a value that matches one of the alternatives";
    default:
      return message?.replace(/^must be /, "") ?? keyword;
  }
}

function actual({ keyword, params }: ErrorObject, data: unknown): string {
  if (keyword === "type" && !(params.type === "integer" && typeof data === "number")) return typeName(data);
  if (Array.isArray(data)) return `${data.length}`;
  if (keyword.endsWith("Length")) return `${[...(data as string)].length}`;
  if (typeof data === "object" && data !== null)
    return keyword.endsWith("Properties") ? `${Object.keys(data).length}` : "object";
  return shown(data);
}

const atLeastOrMost = (keyword: string, limit: number) =>
  `at ${keyword.startsWith("min") ? "least" : "most"} ${limit}`;

function typeName(data: unknown): string {
  if (data === null) return "null";
  return Array.isArray(data) ? "array" : typeof data;
}

function oneOf(values: unknown[]): string {
  const listed = values.slice(0, 10).map(shown).join(", ");
  return values.length === 1 ? listed : `one of ${listed}${values.length > 10 ? ", …" : ""}`;
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? quoted(value)
    : quoted(JSON.stringify(value) ?? String(value)).slice(1, -1);
}

/** Turns the pointer `/predictions/3` into `$.predictions[3]`. The value shows whether a step is an index. */
function readablePath(pointer: string, value: unknown): string {
  let path = "$";
  let at = value;
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    path = Array.isArray(at) ? `${path}[${name}]` : pathTo(path, name);
    at = (at as Record<string, unknown> | undefined)?.[name];
  }
  return path;
}
