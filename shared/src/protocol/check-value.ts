import { Ajv } from "ajv";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { CrowdaiError } from "./errors.ts";
import { MAX_JSON_DEPTH } from "./message-limits.ts";
import { roundNumbers } from "./rounded-numbers.ts";
import { describeSchemaErrors, type SchemaError } from "./schema-errors.ts";
import { distinctItems } from "./unique-items.ts";

/** Collecting all errors of a large value takes time and memory, and only the first few are read. */
const LIST_ALL_BELOW = 10_000;
const MAX_REPORTED = 5;

interface Compiled {
  /** Stops at the first error. */
  quick: ValidateFunction;
  /** Finds all errors. Compiled on first use. */
  thorough: () => ValidateFunction;
}

const compiled = new WeakMap<object, Compiled>();

/**
 * Checks a value against a JSON Schema: draft 2020-12, or draft 7 when `$schema` names it. `format` is not
 * checked. Throws value_schema with the path and rule of each error, value_too_deep, and config_invalid for
 * an invalid schema. Exact numbers are compared as doubles, except by `uniqueItems`.
 */
export function checkValue(exact: unknown, schema: unknown): void {
  const problems = schemaErrors(exact, schema).slice(0, MAX_REPORTED);
  if (problems.length === 0) return;
  const lines = problems.map((m) => `  ${m.path}: ${m.message} (rule "${m.rule}")`);
  throw new CrowdaiError(
    "value_schema",
    `The value does not match the challenge's schema:\n${lines.join("\n")}`,
    { details: { mistakes: problems } },
  );
}

/**
 * Returns how a value breaks a JSON Schema, as `checkValue` words it: all errors, or the first of a large
 * value.
 */
export function schemaErrors(exact: unknown, schema: unknown): SchemaError[] {
  if (schema === true || schema === undefined || schema === null) return [];
  const { quick, thorough } = compile(schema as object | false);
  try {
    const value = roundNumbers(exact);
    if (quick(value)) return [];
    const small = weight(value, LIST_ALL_BELOW) < LIST_ALL_BELOW;
    const complete = small ? thorough() : quick;
    if (small) complete(value);
    return describeSchemaErrors(complete.errors ?? [], value);
  } catch (error) {
    // A recursive schema follows the value to its full depth.
    if (!(error instanceof RangeError)) throw error;
    throw new CrowdaiError("value_too_deep", `The value is nested deeper than ${MAX_JSON_DEPTH} levels.`, {
      details: { limit: MAX_JSON_DEPTH },
      cause: error,
    });
  }
}

/** Returns the errors of a JSON Schema, each with its place as a JSON pointer. */
export function jsonSchemaErrors(schema: unknown): { pointer: string; message: string }[] {
  if (typeof schema === "boolean") return [];
  try {
    const ajv = createAjv(schema, true);
    if (!ajv.validateSchema(schema as object)) {
      // The last error of a union only says that no branch matches; the errors before it say why.
      const problems = describeSchemaErrors(ajv.errors ?? [], schema);
      return problems.map(({ pointer, message }) => ({ pointer, message }));
    }
    // Also runs it, because an endless reference to itself shows only then.
    const check = ajv.compile(schema as object);
    for (const sample of [null, false, 0, "", [], {}]) check(sample);
    return [];
  } catch (error) {
    const message = error instanceof RangeError ? "a reference refers to itself" : (error as Error).message;
    return [{ pointer: "", message: message.replace(/^strict mode: /, "") }];
  }
}

function compile(schema: object | false): Compiled {
  const key = schema === false ? NEVER : schema;
  const known = compiled.get(key);
  if (known) return known;
  const made = (() => {
    try {
      let complete: ValidateFunction | undefined;
      return {
        quick: createAjv(schema, false).compile(schema),
        thorough: () => {
          complete ??= createAjv(schema, true).compile(schema);
          return complete;
        },
      };
    } catch (cause) {
      throw new CrowdaiError(
        "config_invalid",
        `accepts.json.schema is not a valid JSON Schema: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  })();
  compiled.set(key, made);
  return made;
}
const NEVER = {};

/** Creates one instance per schema, because the schemas of two challenges may have the same $id. */
function createAjv(schema: unknown, allErrors: boolean): Ajv {
  const dialect = (schema as { $schema?: unknown } | null)?.$schema;
  const Dialect = typeof dialect === "string" && /draft-0[67]/.test(dialect) ? Ajv : Ajv2020;
  const ajv = new Dialect({
    allErrors,
    verbose: true,
    ownProperties: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    validateFormats: false,
    logger: false,
  });
  return ajv.removeKeyword("uniqueItems").addKeyword(distinctItems) as Ajv;
}

/** Counts the values that a value contains, up to `most`. */
function weight(value: unknown, most: number): number {
  let seen = 0;
  const open: unknown[] = [value];
  while (open.length > 0 && seen < most) {
    const next = open.pop();
    seen++;
    if (typeof next !== "object" || next === null) continue;
    const children = Object.values(next);
    if (children.length >= most) return most;
    open.push(...children);
  }
  return seen;
}
