import { Validator } from "@cfworker/json-schema";
import { CrowdaiError } from "./errors.ts";
import { DEPTH_LIMIT } from "./session.ts";

/**
 * JSON text to a value. Throws value_not_json (naming the place), value_not_finite for a bare NaN or Infinity, and
 * value_too_deep.
 */
export function parseJson(text: string, what = "The value"): unknown {
  const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  // Before parsing: some engines answer deep nesting with a stack overflow instead of a syntax error.
  if (textDepth(clean) > DEPTH_LIMIT) throw tooDeep(what);
  try {
    return JSON.parse(clean);
  } catch (cause) {
    const bare = clean.replace(/"(?:[^"\\]|\\.)*"/g, '""').match(/-?\b(NaN|Infinity)\b/);
    if (bare)
      throw new CrowdaiError("value_not_finite", `${what} holds ${bare[0]}, which JSON cannot carry.`, { cause });
    throw new CrowdaiError("value_not_json", `${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/**
 * A value of the program to JSON text, typed arrays as JSON arrays. Throws value_not_finite naming the path of a
 * NaN or Infinity (JSON.stringify would write null), value_not_json for what JSON cannot carry, value_too_deep.
 */
export function toJsonText(value: unknown): string {
  const text = JSON.stringify(plain(value, "$", 0));
  if (text === undefined) throw new CrowdaiError("value_not_json", `The value is ${typeof value}, which JSON cannot carry.`);
  return text;
}

function plain(value: unknown, path: string, depth: number): unknown {
  if (depth > DEPTH_LIMIT) throw tooDeep("The value");
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value))
        throw new CrowdaiError("value_not_finite", `The value holds ${value} at ${path}, which JSON cannot carry.`);
      return value;
    case "bigint":
    case "function":
    case "symbol":
      throw new CrowdaiError("value_not_json", `The value holds a ${typeof value} at ${path}, which JSON cannot carry.`);
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<unknown>, (item, i) => plain(item, `${path}[${i}]`, depth + 1));
  if (Array.isArray(value)) return value.map((item, i) => plain(item ?? null, `${path}[${i}]`, depth + 1));
  if ("toJSON" in value && typeof value.toJSON === "function") return plain(value.toJSON(), path, depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(item, `${path}.${key}`, depth + 1)]),
  );
}

/** Checks a value against a JSON Schema (draft 2020-12). Throws value_schema naming path and rule of each mistake. */
export function checkValue(value: unknown, schema: unknown): void {
  if (schema === true || schema === undefined || schema === null) return;
  const found = new Validator(schema as ConstructorParameters<typeof Validator>[0], "2020-12", false).validate(value);
  if (found.valid) return;
  // The validator reports a failing leaf and then each schema around it; the leaves are what a person needs.
  const wrapping = new Set(["properties", "items", "prefixItems", "$ref", "allOf", "additionalProperties"]);
  const leaves = found.errors.filter((error) => !wrapping.has(error.keyword) || error.keywordLocation.endsWith("false"));
  const mistakes = (leaves.length > 0 ? leaves : found.errors).slice(0, 5).map((error) => ({
    path: `$${error.instanceLocation.slice(1)}`,
    rule: error.keyword,
    message: error.error,
  }));
  throw new CrowdaiError(
    "value_schema",
    `The value does not fit the challenge's schema:\n${mistakes.map((m) => `  ${m.path}: ${m.message} (rule "${m.rule}")`).join("\n")}`,
    { details: { mistakes } },
  );
}

/** Nesting depth of JSON text, counted without parsing. */
function textDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x5d || c === 0x7d) depth--;
  }
  return deepest;
}

function tooDeep(what: string): CrowdaiError {
  return new CrowdaiError("value_too_deep", `${what} is nested deeper than ${DEPTH_LIMIT} levels.`, {
    details: { limit: DEPTH_LIMIT },
  });
}
