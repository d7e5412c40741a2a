import * as shared from "@crowdai/shared";
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { z } from "zod";

/**
 * The types of the client library that a schema describes, by the name under which participants know them.
 */
const CLIENT_SCHEMAS = {
  Submission: shared.submissionSchema,
  SubmissionEvent: shared.submissionEventSchema,
  PublicChallenge: shared.challengeSchema,
  Round: shared.roundSchema,
  Session: shared.sessionSchema,
  Limits: shared.limitsSchema,
  Leaderboard: shared.leaderboardSchema,
  LeaderboardRow: shared.leaderboardRowSchema,
  Place: shared.queuePositionSchema,
};

/**
 * Returns declarations that stand in for those of @crowdai/shared, the file `shared`, in the client's types:
 * what schemas describe is written out as interfaces, with the schemas' descriptions as doc comments.
 */
export async function declareClientSchemas(shared: string): Promise<string> {
  // Names that this file declares hide those that it passes on.
  return `export * from "${shared}";
export type SubmissionState = Submission["state"];
export type EventType = SubmissionEvent["type"];
${await declareTypes(CLIENT_SCHEMAS)}`;
}

/**
 * Returns TypeScript interfaces of what the schemas parse to. A schema that is part of another is referred to
 * by name.
 */
export async function declareTypes(schemas: Readonly<Record<string, z.ZodType>>): Promise<string> {
  for (const [id, schema] of Object.entries(schemas)) z.globalRegistry.add(schema, { ...schema.meta(), id });
  const all = z.toJSONSchema(z.object(schemas), {
    unrepresentable: "any",
    // Without it, a value of any type that has a description becomes an object.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodUnknown) jsonSchema.tsType = "unknown";
    },
  });
  const text = await compile(all as JSONSchema, "All", {
    bannerComment: "",
    format: false,
    additionalProperties: false,
  });
  return text
    .replace(
      / \* This interface was referenced by `All`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g,
      "",
    )
    .replace(/\/\*\*\n \*\/\n/g, "");
}
