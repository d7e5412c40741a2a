// The parts of an OpenAPI document that the page of the API shows.

export interface Schema {
  type?: string | string[];
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
}

export interface Operation {
  summary?: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}

export interface OpenApi {
  paths?: Record<string, Record<string, Operation>>;
}

export interface Described extends Operation {
  method: string;
  path: string;
  /** Names the operation in addresses. */
  anchor: string;
  key: "none" | "optional" | "required";
}

export interface Group {
  title: string;
  anchor: string;
  operations: Described[];
}

const TITLES: Record<string, string> = {
  "": "Broker",
  me: "Account",
  join: "Account",
  "device-logins": "Account",
  agreements: "Agreements",
  challenges: "Challenges",
  submissions: "Submissions",
  calls: "Submissions",
  sessions: "Environments",
  ci: "CI jobs",
};

/** Groups the operations by what they are about, in the order of the document. */
export function groupOperations({ paths = {} }: OpenApi): Group[] {
  const groups = new Map<string, Described[]>();
  for (const [path, operations] of Object.entries(paths))
    for (const [method, operation] of Object.entries(operations)) {
      const segment = path.split("/")[1] ?? "";
      const title = TITLES[segment] ?? segment.charAt(0).toUpperCase() + segment.slice(1);
      const group = groups.get(title) ?? [];
      groups.set(title, group);
      group.push({
        ...operation,
        method: method.toUpperCase(),
        path,
        anchor: slug(`${method} ${path}`),
        key: keyOf(operation.security),
      });
    }
  return [...groups].map(([title, operations]) => ({ title, anchor: slug(title), operations }));
}

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

function keyOf(security: Operation["security"]): Described["key"] {
  if (!security || security.length === 0) return "none";
  return security.some((one) => Object.keys(one).length === 0) ? "optional" : "required";
}

/** Returns the JSON schema of a body; undefined for bodies of bytes, and none. */
export const jsonOf = (
  body: { content?: Record<string, { schema?: Schema }> } | undefined,
): Schema | undefined => body?.content?.["application/json"]?.schema;

/** Returns a type in words, such as "string or null" or "list of objects". */
export function typeOf(schema: Schema): string {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length === 0) return "any value";
  return types
    .map((type) =>
      type === "array" ? `list of ${schema.items ? plural(typeOf(schema.items)) : "values"}` : type,
    )
    .join(" or ");
}

const plural = (type: string) =>
  /^(?:string|number|integer|object|boolean)$/.test(type) ? `${type}s` : type;

export interface Field {
  name: string;
  schema: Schema;
  required: boolean;
}

/** Returns the fields of an object, of the objects of a list, or of the variants of either. */
export function fieldsOf(schema: Schema): Field[] {
  const known = new Map<string, Field>();
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) {
    for (const field of variants.flatMap(fieldsOf))
      known.set(field.name, {
        ...field,
        required: variants.every((one) => one.required?.includes(field.name)),
      });
    return [...known.values()];
  }
  if (schema.items) return fieldsOf(schema.items);
  if (typeof schema.additionalProperties === "object" && !schema.properties)
    return fieldsOf(schema.additionalProperties);
  return Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    name,
    schema: one,
    required: schema.required?.includes(name) ?? false,
  }));
}

const PLACES: Record<string, string> = {
  challenges: "CHALLENGE",
  submissions: "SUBMISSION",
  sessions: "SUBMISSION",
};

/** Returns a call with curl: words in capitals are to be replaced. */
export function curlOf({ method, path, key, parameters = [], requestBody }: Described, api: string): string {
  const filled = path.replace(/([^/]*)\/\{(\w+)\}/g, (_, before: string, name: string) => {
    const place = name === "id" ? (PLACES[before] ?? "ID") : name.toUpperCase();
    return `${before}/${place}`;
  });
  const query = parameters
    .filter((one) => one.in === "query" && one.required)
    .map(({ name }) => `${name}=${name.toUpperCase()}`)
    .join("&");
  const isFile = !requestBody && path.endsWith("{name}");
  const body = jsonOf(requestBody);
  return [
    `curl ${api}${filled}${query ? `?${query}` : ""}`,
    ...(method === "GET" || body ? [] : [`-X ${method}`]),
    ...(method === "PUT" && body ? ["-X PUT"] : []),
    ...(isFile ? ["-O"] : []),
    ...(path.endsWith("/artifacts/{number}") ? ["-L -O"] : []),
    ...(key === "none" ? [] : ['-H "Authorization: Bearer $CROWDAI_API_KEY"']),
    ...(body ? [`--json '${JSON.stringify(exampleOf(body, ""))}'`] : []),
  ].join(" ");
}

/** Returns the least that a schema asks for. */
function exampleOf(schema: Schema, name: string): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const first = (schema.oneOf ?? schema.anyOf)?.[0];
  if (first) return exampleOf(first, name);
  const type = [schema.type].flat()[0];
  if (type === "object") {
    const fields = fieldsOf(schema).filter(
      ({ required, schema: one }) => required || Object.keys(one).length === 0,
    );
    return Object.fromEntries(fields.map((field) => [field.name, exampleOf(field.schema, field.name)]));
  }
  if (type === "array") return schema.items ? [exampleOf(schema.items, name)] : [];
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  return type === "string" ? name.toUpperCase() : { score: 1 };
}
