import { Ajv, type ValidateFunction } from "ajv";

type Schema = Record<string, unknown>;

interface Operation {
  operation: string;
  method: string;
  path: string;
  /** Names of the known query parameters. */
  query?: string[];
  body: Schema | null;
  /** By status; null means a response without a body. */
  responses: Record<string, Schema | null>;
}

/** A part of an API as its host describes it. */
export interface ApiExcerpt {
  source: string;
  operations: Operation[];
  definitions: Record<string, Schema>;
}

export interface Call {
  operation: string;
  parameters: Record<string, string>;
  body: Record<string, unknown>;
}

/** Checks requests and responses against the API description that a host publishes. */
export interface DescribedApi {
  /** Returns the operation of a request, or what is wrong with it. */
  read(method: string, url: URL, contentType: string | undefined, body: string): Call | { wrong: string };
  /** Returns what is wrong with a response; null when it is valid. */
  wrongAnswer(operation: string, status: number, body: unknown): string | null;
  /** Returns the smallest object that satisfies a definition, for the caller to fill in. */
  sample(definition: string): Record<string, unknown>;
}

const described = new WeakMap<ApiExcerpt, DescribedApi>();

/** Returns the same one for the same excerpt: compiling its schemas takes longer than most tests. */
export function describedApi(excerpt: ApiExcerpt): DescribedApi {
  const api = described.get(excerpt) ?? describeApi(excerpt);
  described.set(excerpt, api);
  return api;
}

function describeApi({ operations, definitions }: ApiExcerpt): DescribedApi {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: "api", definitions });
  const compiled = new Map<Schema, ValidateFunction>();
  const check = (schema: Schema, value: unknown): string | null => {
    const validate = compiled.get(schema) ?? ajv.compile(absolute(schema) as Schema);
    compiled.set(schema, validate);
    return validate(value) ? null : ajv.errorsText(validate.errors);
  };

  function read(
    method: string,
    url: URL,
    contentType: string | undefined,
    text: string,
  ): Call | { wrong: string } {
    for (const { operation, path, query = [], body: schema, ...rest } of operations) {
      const parameters = match(path, url.pathname);
      if (rest.method.toUpperCase() !== method || !parameters) continue;
      const unknown = [...url.searchParams.keys()].filter((name) => !query.includes(name));
      if (unknown.length > 0) return { wrong: `${operation}: no query parameter ${unknown.join(", ")}` };
      if (text === "")
        return schema?.required ? { wrong: `${operation}: no body` } : { operation, parameters, body: {} };
      if (!/^application\/json\b/.test(contentType ?? "")) return { wrong: `${operation}: ${contentType}` };
      const body = JSON.parse(text) as Record<string, unknown>;
      const wrong = schema ? check(schema, body) : "it takes no body";
      return wrong ? { wrong: `${operation}: ${wrong}` } : { operation, parameters, body };
    }
    return { wrong: `no operation ${method} ${url.pathname}` };
  }

  function sample(schema: Schema, deep = 0): unknown {
    if (typeof schema.$ref === "string") {
      const name = schema.$ref.split("/").at(-1) as string;
      return sample(definitions[name] as Schema, deep + 1);
    }
    const either = (schema.anyOf ?? schema.oneOf) as Schema[] | undefined;
    if (either) return either.some(({ type }) => type === "null") ? null : sample(either[0] as Schema, deep);
    if (Array.isArray(schema.enum)) return schema.enum[0];
    const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
    if (type === "object" || schema.properties) {
      const { properties = {}, required = [] } = schema as {
        properties?: Record<string, Schema>;
        required?: string[];
      };
      return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {}, deep + 1)]));
    }
    return { string: "", integer: 0, number: 0, boolean: false, array: [] }[type as "string"] ?? null;
  }

  return {
    read,
    wrongAnswer(operation, status, body) {
      const found = operations.find((each) => each.operation === operation);
      const schema = found?.responses[status];
      if (schema === undefined) return `${operation}: it never answers ${status}`;
      if (schema === null) return body === null ? null : `${operation}: ${status} has no body`;
      const wrong = check(schema, body);
      return wrong && `${operation}: ${status}: ${wrong}`;
    },
    sample: (definition) => sample(definitions[definition] as Schema) as Record<string, unknown>,
  };
}

function match(template: string, path: string): Record<string, string> | null {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
  const found = new RegExp(`^${template.replace(/\{\w+\}/g, "([^/]+)")}$`).exec(path);
  if (!found) return null;
  return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1] as string)]));
}

/** Rewrites references so that they resolve from outside of the excerpt. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) =>
      name === "$ref" && typeof each === "string"
        ? [name, each.replace(/^#/, "api#")]
        : [name, absolute(each)],
    ),
  );
}
