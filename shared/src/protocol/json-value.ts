import { CrowdaiError } from "./errors.ts";
import { ExactNumber, type Exactness, isExactNumber, parseExact, stringifyExact } from "./exact-json.ts";
import { findJsonError } from "./json-syntax.ts";
import { markNumbers, unmark } from "./marked-numbers.ts";
import { MAX_JSON_DEPTH } from "./message-limits.ts";
import { quoted } from "./suggest.ts";

/** Matches every number that may exceed the largest double, and some that do not. */
const PERHAPS_TOO_LARGE = /[eE]\+?\d{3}|(?<![\d.])\d{209}/;

/**
 * Parses JSON text. Throws value_not_json with line and column, value_not_finite for NaN, Infinity and
 * numbers too large for a double, and value_too_deep. Numbers that a double would change become an
 * ExactNumber. Skips a byte-order mark.
 */
export function parseJson(text: string, what = "The value", exactness: Exactness = "values"): unknown {
  const clean = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  // Before parsing, because deep nesting overflows the stack of some engines.
  if (textDepth(clean) > MAX_JSON_DEPTH) throw tooDeep(what);
  let value: unknown;
  try {
    value = parseExact(clean, exactness);
  } catch (cause) {
    throw syntaxError(clean, what, cause as Error);
  }
  if (PERHAPS_TOO_LARGE.test(clean)) requireFinite(value, "$", what);
  return value;
}

function syntaxError(text: string, what: string, cause: Error): CrowdaiError {
  const error = findJsonError(text);
  if (!error)
    return new CrowdaiError("value_not_json", `${what} is not valid JSON: ${cause.message}`, { cause });
  const { line, column, expected, got, notFinite } = error;
  const details = { line, column, expected, got };
  const place = `line ${line}, column ${column}`;
  return notFinite
    ? new CrowdaiError(
        "value_not_finite",
        `${what} contains ${got.slice(1, -1)} at ${place}, which JSON cannot represent.`,
        { details, cause },
      )
    : new CrowdaiError(
        "value_not_json",
        `${what} is not valid JSON: ${place}: expected ${expected}, got ${got}.`,
        {
          details,
          cause,
        },
      );
}

/**
 * Rejects numbers such as 1e999: they are valid JSON, but are parsed to Infinity, which would be stored as
 * null.
 */
function requireFinite(value: unknown, path: string, what: string): void {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    throw new CrowdaiError(
      "value_not_finite",
      `${what} contains a number larger than a double can represent at ${path}.`,
    );
  if (Array.isArray(value))
    for (const [i, item] of value.entries()) requireFinite(item, `${path}[${i}]`, what);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) requireFinite(item, pathTo(path, key), what);
}

/**
 * Parses JSON text in which NaN, Infinity and numbers too large for a double stand for null, as programs in
 * Python write them. Returns where they were, such as `meta.loss`. Throws as `parseJson` does for everything
 * else.
 */
export function parseLenientJson(text: string, what = "The value"): { value: unknown; notFinite: string[] } {
  const marked = markNumbers(text, (literal) => !Number.isFinite(Number(literal)));
  if (marked === null) return { value: parseJson(text, what), notFinite: [] };
  const notFinite: string[] = [];
  try {
    const value = unmark(parseJson(marked, what), (_, path) => {
      notFinite.push(path.join("."));
      return null;
    });
    return { value, notFinite };
  } catch {
    // For an error at a position in the text itself.
    return { value: parseJson(text, what), notFinite: [] };
  }
}

/**
 * Converts a JavaScript value to JSON text: typed arrays to arrays, BigInts to integers. Throws
 * value_not_finite with the path of NaN or Infinity (which JSON.stringify writes as null), value_not_json for
 * values that JSON cannot represent, and value_too_deep, also for a value that contains itself. With
 * `safeIntegers`, also throws value_not_exact for a number that may have lost digits before: an integer
 * beyond 2^53, unless it is in a typed array.
 */
export function toJsonText(value: unknown, { safeIntegers = false } = {}): string {
  const text = stringifyExact(plain(value, "$", 0, safeIntegers));
  if (text === undefined)
    throw new CrowdaiError("value_not_json", `The value is ${typeof value}, which JSON cannot represent.`);
  return text;
}

/** `depth` is the number of enclosing containers. */
function plain(value: unknown, path: string, depth: number, safeIntegers: boolean): unknown {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value))
        throw new CrowdaiError(
          "value_not_finite",
          `The value contains ${value} at ${path}, which JSON cannot represent.`,
        );
      if (safeIntegers && mayHaveLostDigits(value))
        throw new CrowdaiError(
          "value_not_exact",
          `The value contains ${value} at ${path}, an integer beyond 2^53.`,
        );
      return value;
    case "bigint":
      return new ExactNumber(String(value));
    case "function":
    case "symbol":
      throw notJson(`a ${typeof value}`, path);
    case "object":
      break;
    default:
      return value;
  }
  if (value === null || isExactNumber(value)) return value;
  if (depth >= MAX_JSON_DEPTH) throw tooDeep("The value");
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return plain(value.valueOf(), path, depth, safeIntegers);
  if ("toJSON" in value && typeof value.toJSON === "function" && !ArrayBuffer.isView(value))
    return plain(value.toJSON(), path, depth + 1, safeIntegers);
  if (Array.isArray(value) || isTypedArray(value))
    return Array.from(value as ArrayLike<unknown>, (item, i) =>
      plain(item ?? null, `${path}[${i}]`, depth + 1, safeIntegers && Array.isArray(value)),
    );
  // JSON.stringify would write these as {} and silently lose their contents.
  if (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof ArrayBuffer ||
    value instanceof DataView
  )
    throw notJson(`${value instanceof ArrayBuffer ? "an" : "a"} ${value.constructor.name}`, path);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      plain(item, pathTo(path, key), depth + 1, safeIntegers),
    ]),
  );
}

/** Returns the path of a property, for example `$.name` or `$["a name"]`. */
export function pathTo(path: string, property: string): string {
  return /^[A-Za-z_$][\w$]{0,99}$/.test(property) ? `${path}.${property}` : `${path}[${quoted(property)}]`;
}

/** From 1e21 on, JavaScript writes an exponent, so the number does not look exact. */
function mayHaveLostDigits(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
}

function isTypedArray(value: object): boolean {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Returns the nesting depth of JSON text without parsing it. */
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
  return new CrowdaiError(
    "value_not_json",
    `The value contains ${what} at ${path}, which JSON cannot represent.`,
  );
}

function tooDeep(what: string): CrowdaiError {
  return new CrowdaiError("value_too_deep", `${what} is nested deeper than ${MAX_JSON_DEPTH} levels.`, {
    details: { limit: MAX_JSON_DEPTH },
  });
}
