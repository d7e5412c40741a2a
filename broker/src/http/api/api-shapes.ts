import { errorBodySchema } from "@crowdai/shared";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";

// Building blocks of the API's route descriptions.

export const json = <T extends z.ZodType>(schema: T, description: string) => ({
  content: { "application/json": { schema } },
  description,
});
export const refusal = json(z.object({ error: errorBodySchema }), "An error; docs/errors.md lists them.");
export const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  200: json(schema, description),
  default: refusal,
});
/** Responses of a route that returns a file. */
export const bytesAnswer = (description: string) => ({
  200: {
    content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    description,
  },
  default: refusal,
});
/** Responses of a route that returns a CSV file. */
export const csvAnswer = (description: string) => ({
  200: { content: { "text/csv": { schema: z.string() } }, description },
  default: refusal,
});
export const body = <T extends z.ZodType>(schema: T) => ({
  content: { "application/json": { schema } },
  required: true,
});
export const withKey: Record<string, string[]>[] = [{ key: [] }];
export const keyOptional: Record<string, string[]>[] = [{ key: [] }, {}];
export const idParam = z.object({ id: z.string().max(100) });
export const whole = (fallback: number, most: number) =>
  z.coerce.number().int().min(0).max(most).default(fallback);

/** The API that a group of routes is added to, with what the group uses. */
export interface ApiGroup<N = unknown> {
  api: OpenAPIHono;
  context: () => N;
  /** Identifies the calling participant. Throws an error for a missing or wrong key. */
  participant: (c: Context) => Promise<Caller>;
  /** Identifies the caller; null without a key. Throws an error for a wrong key. */
  viewer: (c: Context) => Promise<Caller | null>;
}
