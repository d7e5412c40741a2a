import { expect, it } from "vitest";
import type { CodeServices } from "../../src/background/code-services.ts";
import { apiRoutes } from "../../src/http/api/api.ts";
import type { HttpServices } from "../../src/http/requests/http-services.ts";
import { startBroker } from "../support/test-broker.ts";

interface Operation {
  summary?: string;
  parameters?: { name: string; in: string; schema?: object }[];
  requestBody?: { content?: Record<string, { schema?: object }> };
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object }> }>;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

it("/openapi.json describes every route below /api/v1 with its parameters and responses", async () => {
  const test = await startBroker({ withGrader: false });
  const document = (await (await test.fetch("/openapi.json")).json()) as {
    servers: { url: string }[];
    paths: Record<string, Record<string, Operation>>;
    components: { securitySchemes: object };
  };
  const [server] = document.servers;
  const root = await test.fetch(`${server!.url}/`, { key: null });
  expect(await root.json()).toMatchObject({ service: "crowdai" });
  await test.close();
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );

  const api = apiRoutes(
    () => ({}) as HttpServices,
    () => ({}) as CodeServices,
    "",
    async () => {},
    async () => null,
  );
  const routed = api.routes
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)(?:\{[^}]*\})?/g, "{$1}")}`)
    .filter((name) => METHODS.includes(name.split(" ")[0] ?? ""));
  expect([...new Set(routed)].filter((name) => !described.some((one) => one.name === name))).toEqual([]);
  expect(described.map(({ name }) => name)).toContain("get /challenges/{id}/data/{name}");

  for (const { name, path, operation } of described) {
    expect(operation.summary, name).toBeTruthy();
    const { 200: answer, 302: elsewhere, default: refusal } = operation.responses;
    const ok = answer ?? elsewhere;
    const [content] = Object.values(answer?.content ?? {});
    // A redirect has no body.
    if (!elsewhere) expect(content?.schema, `${name}: its answer`).toBeTruthy();
    expect(ok?.description, name).toBeTruthy();
    expect(refusal?.content?.["application/json"]?.schema, `${name}: its refusal`).toBeTruthy();
    const named = (operation.parameters ?? []).filter((one) => one.in === "path").map((one) => one.name);
    expect(named.sort(), name).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, part]) => part).sort());
    for (const parameter of operation.parameters ?? [])
      expect(parameter.schema, `${name}: ${parameter.name}`).toBeTruthy();
  }
  expect(document.components.securitySchemes).toHaveProperty("key");
});
