import { z } from "zod";
import { challengeConfigSchema } from "./challenge-config.ts";

/** A node of a JSON Schema, as written by z.toJSONSchema. */
export interface SchemaNode {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minLength?: number;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
}

/** Returns the JSON Schema of challenge.json, which editors use for completion. */
export function challengeJsonSchema(): Record<string, unknown> {
  const schema = configSchema();
  const required = (schema.required as string[]).filter((name) => name !== "evaluator");
  // An environment that gym makes is the evaluator.
  const hasGym = { required: ["environment"], properties: { environment: { required: ["gym"] } } };
  return { ...schema, required, anyOf: [{ required: ["evaluator"] }, hasGym] };
}

function configSchema(): SchemaNode & Record<string, unknown> {
  return z.toJSONSchema(challengeConfigSchema, {
    io: "input",
    override: ({ jsonSchema }) => {
      // These additions of zod only lengthen the tooltips of editors.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    },
  }) as SchemaNode & Record<string, unknown>;
}

/**
 * Returns the schema of a field of `content`, or null. Of a union it takes the alternative closest to the
 * content.
 */
export function schemaAt(path: readonly PropertyKey[], content: unknown): SchemaNode | null {
  let node: SchemaNode | undefined = configSchema();
  let value = content;
  for (const step of path) {
    const { items, properties, additionalProperties } = closestAlternative(node, value);
    node = typeof step === "number" ? items : properties?.[String(step)];
    if (!node && typeof additionalProperties === "object") node = additionalProperties;
    if (!node) return null;
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
  }
  return node;
}

/**
 * Returns the alternative of a union that shares most properties with the value. Properties of few
 * alternatives weigh more.
 */
export function closestAlternative(node: SchemaNode, value: unknown): SchemaNode {
  if (!node.anyOf) return node;
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const containers = alternatives(node).filter(({ properties, items }) => properties || items);
  const has = (one: SchemaNode, key: string) => Object.hasOwn(one.properties ?? {}, key);
  const shared = (one: SchemaNode) =>
    keys
      .filter((key) => has(one, key))
      .reduce((sum, key) => sum + 1 / containers.filter((other) => has(other, key)).length, 0);
  return containers.toSorted((a, b) => shared(b) - shared(a))[0] ?? node;
}

/** Describes a schema in words, for example "a whole number of at least 1, or null". */
export function describeSchema(node: SchemaNode | null): string {
  if (!node) return "a different value";
  const words = alternatives(node).map(describeSchemaType);
  return [...new Set(words)].join(", or ");
}

function alternatives(node: SchemaNode): SchemaNode[] {
  if (node.anyOf) return node.anyOf.flatMap(alternatives);
  return Array.isArray(node.type) ? node.type.map((type) => ({ ...node, type })) : [node];
}

function describeSchemaType(node: SchemaNode): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" or ");
  switch (node.type) {
    case "integer":
      return `a whole number${range(node)}`;
    case "number":
      return `a number${range(node)}`;
    case "string":
      if (node.format === "date-time") return "an ISO 8601 time with time zone, such as 2026-11-23T12:00:00Z";
      return node.minLength ? "non-empty text" : "text";
    case "boolean":
      return "true or false";
    case "array":
      return node.minItems ? "a non-empty list" : "a list";
    case "object":
      return "an object";
    case "null":
      return "null";
    default:
      return "a value";
  }
}

function range({ minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${maximum === undefined ? "" : `, at most ${maximum}`}`;
  if (minimum !== undefined)
    return maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${maximum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}
