import type { TestBroker } from "../support/test-broker.ts";
import type { Schema } from "./hostile-values.ts";

interface Document {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
}

/** Returns the schemas of the bodies that /openapi.json describes, by method and path. */
export async function describedBodies(test: TestBroker): Promise<Map<string, Schema>> {
  const { paths } = (await (await test.fetch("/openapi.json")).json()) as Document;
  const bodies = new Map<string, Schema>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { requestBody }] of Object.entries(methods)) {
      const schema = requestBody?.content["application/json"]?.schema;
      const route = path.replace(/\{(\w+)\}/g, ":$1");
      if (schema) bodies.set(`${method.toUpperCase()} /api/v1${route}`, schema);
    }
  return bodies;
}
