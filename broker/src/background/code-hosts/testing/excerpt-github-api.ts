// Creates github-api.json, the part of GitHub's published API description that the adapter uses. See
// README.md.
//
//   node excerpt-github-api.ts <folder of the unpacked package>/generated/api.github.com.json >
// github-api.json
import { readFileSync } from "node:fs";
import { argv, stdout } from "node:process";

type Json = { [name: string]: Json } & { $ref?: string; nullable?: boolean; type?: unknown };

const OPERATIONS = [
  ["get", "/repos/{owner}/{repo}"],
  ["post", "/orgs/{org}/repos"],
  ["patch", "/repos/{owner}/{repo}"],
  ["delete", "/repos/{owner}/{repo}"],
  ["put", "/repos/{owner}/{repo}/actions/permissions"],
  // Used by the client, for `crowdai fork`.
  ["post", "/repos/{owner}/{repo}/forks"],
] as const;
const WORDS = /^(?:description|example|examples|title|default|externalDocs|readOnly|deprecated|x-.*)$/;

const whole = JSON.parse(readFileSync(argv[2] as string, "utf8")) as Json;
const definitions: Record<string, unknown> = {};

/** Removes the descriptions from a schema. Below `properties`, `description` is a name and stays. */
function plain(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each));
  if (typeof value !== "object" || value === null) return value;
  const { $ref, nullable, ...rest } = value as Json;
  if (!names && typeof $ref === "string") return { $ref: `#/definitions/${define($ref)}` };
  const kept = Object.entries(names ? (value as Json) : rest)
    .filter(([name]) => names || !WORDS.test(name))
    .map(([name, each]) => [name, plain(each, !names && name === "properties")]);
  const schema = Object.fromEntries(kept);
  if (names || nullable !== true) return schema;
  return { anyOf: [schema, { type: "null" }] };
}

function define(ref: string): string {
  const name = ref.split("/").at(-1) as string;
  if (!(name in definitions)) {
    definitions[name] = null;
    definitions[name] = plain(resolve(ref));
  }
  return name;
}

function resolve(ref: string): Json {
  return ref
    .replace(/^#\//, "")
    .split("/")
    .reduce((at, name) => at[name] as Json, whole);
}

const schemaOf = (part: Json | undefined) => part?.content?.["application/json"]?.schema;
const operations = OPERATIONS.map(([method, path]) => {
  const found = whole.paths?.[path]?.[method] as Json;
  const body = schemaOf(found.requestBody);
  const responses = Object.entries(found.responses as Record<string, Json>).map(([status, given]) => {
    const response = given.$ref ? resolve(given.$ref) : given;
    const schema = schemaOf(response);
    return [status, schema ? plain(schema) : null];
  });
  return {
    operation: found.operationId,
    method,
    path,
    body: body ? { ...(plain(body) as object), additionalProperties: false } : null,
    responses: Object.fromEntries(responses),
  };
});
const { version } = whole.info as Json;
stdout.write(`${JSON.stringify({ source: `@octokit/openapi ${version}`, operations, definitions })}\n`);
