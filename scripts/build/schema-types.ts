import { z } from "zod";

/** The part of JSON Schema that zod writes. */
interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/**
 * TypeScript declarations of what the schemas parse to, each under its name and with the schemas' descriptions as doc
 * comments. A schema that is part of another one is referred to by name.
 */
export function declareTypes(schemas: Readonly<Record<string, z.ZodType>>): string {
  for (const [id, schema] of Object.entries(schemas)) z.globalRegistry.add(schema, { ...schema.meta(), id });
  const all = z.toJSONSchema(z.object(schemas), { unrepresentable: "any" }) as Schema;
  return Object.entries(all.$defs ?? {})
    .map(([name, schema]) => `${comment(schema, "")}export ${declaration(name, schema)}\n`)
    .join("\n");
}

function declaration(name: string, schema: Schema): string {
  return schema.properties
    ? `interface ${name} ${print(schema, "")}`
    : `type ${name} = ${print(schema, "")};`;
}

function print(schema: Schema, indent: string): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1)!;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map((option) => print(option, indent)).join(" | ");
  if (Array.isArray(schema.type))
    return schema.type.map((type) => print({ ...schema, type }, indent)).join(" | ");
  switch (schema.type) {
    case "integer":
      return "number";
    case "array": {
      const item = schema.items ? print(schema.items, indent) : "unknown";
      return !item.startsWith("{") && item.includes(" | ") ? `(${item})[]` : `${item}[]`;
    }
    case "object":
      return schema.properties
        ? printObject(schema, indent)
        : `Record<string, ${printValues(schema, indent)}>`;
    default:
      return schema.type ?? "unknown";
  }
}

function printObject({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([key, schema]) => {
    const optional = required.includes(key) ? "" : "?";
    return `${comment(schema, inner)}${inner}${key}${optional}: ${print(schema, inner)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function printValues({ additionalProperties }: Schema, indent: string): string {
  return typeof additionalProperties === "object" ? print(additionalProperties, indent) : "unknown";
}

function comment({ description }: Schema, indent: string): string {
  return description ? `${indent}/** ${description} */\n` : "";
}
