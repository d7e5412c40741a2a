import { CrowdaiError } from "./errors.ts";
import { findJsonError } from "./json-syntax.ts";
import { DEPTH_LIMIT } from "./message-limits.ts";
import { quoted } from "./suggest.ts";

/** Finds every number that may be beyond the largest double, and some that are not. */
const PERHAPS_TOO_LARGE = /[eE]\+?\d{3}|(?<![\d.])\d{209}/;

/**
 * JSON text to a value. Throws value_not_json (naming line and column), value_not_finite for a bare NaN or Infinity and for a
 * number too large for a double, and value_too_deep. A byte-order mark is passed over.
 */
export function parseJson(text: string, what = "The value"): unknown {
  const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  // Before parsing: some engines answer deep nesting with a stack overflow instead of a syntax error.
  if (textDepth(clean) > DEPTH_LIMIT) throw tooDeep(what);
  let value: unknown;
  try {
    value = JSON.parse(clean);
  } catch (cause) {
    throw syntaxError(clean, what, cause as Error);
  }
  if (PERHAPS_TOO_LARGE.test(clean)) requireFinite(value, "$", what);
  return value;
}

function syntaxError(text: string, what: string, cause: Error): CrowdaiError {
  const fault = findJsonError(text);
  if (!fault) return new CrowdaiError("value_not_json", `${what} is not JSON: ${cause.message}`, { cause });
  const { line, column, expected, got, notFinite } = fault;
  const details = { line, column, expected, got };
  const place = `line ${line}, column ${column}`;
  return notFinite
    ? new CrowdaiError(
        "value_not_finite",
        `${what} holds ${got.slice(1, -1)} at ${place}, which JSON cannot carry.`,
        { details, cause },
      )
    : new CrowdaiError("value_not_json", `${what} is not JSON: ${place}: expected ${expected}, got ${got}.`, {
        details,
        cause,
      });
}

/** Number literals such as 1e999 are JSON, and are parsed to Infinity, which would go on as null. */
function requireFinite(value: unknown, path: string, what: string): void {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    throw new CrowdaiError(
      "value_not_finite",
      `${what} holds a number beyond the largest double at ${path}.`,
    );
  if (Array.isArray(value))
    for (const [i, item] of value.entries()) requireFinite(item, `${path}[${i}]`, what);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) requireFinite(item, pathTo(path, key), what);
}

/**
 * A value of the program to JSON text, typed arrays as JSON arrays. Throws value_not_finite naming the path of a
 * NaN or Infinity (JSON.stringify would write null), value_not_json for what JSON cannot carry, value_too_deep (a value that
 * contains itself included).
 */
export function toJsonText(value: unknown): string {
  const text = JSON.stringify(plain(value, "$", 0));
  if (text === undefined)
    throw new CrowdaiError("value_not_json", `The value is ${typeof value}, which JSON cannot carry.`);
  return text;
}

/** `depth` is how many containers are around the value. */
function plain(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value))
        throw new CrowdaiError(
          "value_not_finite",
          `The value holds ${value} at ${path}, which JSON cannot carry.`,
        );
      return value;
    case "bigint":
    case "function":
    case "symbol":
      throw notJson(`a ${typeof value}`, path);
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (depth >= DEPTH_LIMIT) throw tooDeep("The value");
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return plain(value.valueOf(), path, depth);
  if ("toJSON" in value && typeof value.toJSON === "function" && !ArrayBuffer.isView(value))
    return plain(value.toJSON(), path, depth + 1);
  if (Array.isArray(value) || isTypedArray(value))
    return Array.from(value as ArrayLike<unknown>, (item, i) =>
      plain(item ?? null, `${path}[${i}]`, depth + 1),
    );
  // JSON.stringify would write them as {}, and what they hold would be lost without a word.
  if (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof ArrayBuffer ||
    value instanceof DataView
  )
    throw notJson(`${value instanceof ArrayBuffer ? "an" : "a"} ${value.constructor.name}`, path);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(item, pathTo(path, key), depth + 1)]),
  );
}

/** The path of a property, as `$.name` or `$["a name"]`. */
export function pathTo(path: string, property: string): string {
  return /^[A-Za-z_$][\w$]{0,99}$/.test(property) ? `${path}.${property}` : `${path}[${quoted(property)}]`;
}

function isTypedArray(value: object): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
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

function notJson(what: string, path: string): CrowdaiError {
  return new CrowdaiError("value_not_json", `The value holds ${what} at ${path}, which JSON cannot carry.`);
}

function tooDeep(what: string): CrowdaiError {
  return new CrowdaiError("value_too_deep", `${what} is nested deeper than ${DEPTH_LIMIT} levels.`, {
    details: { limit: DEPTH_LIMIT },
  });
}
