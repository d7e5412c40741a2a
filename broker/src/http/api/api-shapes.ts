import { errorBodySchema } from "@crowdai/shared";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";

// The shapes that the API's routes are described with.

export const json = <T extends z.ZodType>(schema: T, description: string) => ({
  content: { "application/json": { schema } },
  description,
});
export const refusal = json(z.object({ error: errorBodySchema }), "A refusal: see docs/errors.md.");
export const answers = <T extends z.ZodType>(schema: T, description: string) => ({
  200: json(schema, description),
  default: refusal,
});
/** Of a route that answers with a file. */
export const bytesAnswer = (description: string) => ({
  200: {
    content: { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } },
    description,
  },
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

/** What a group of routes is added to, and what it works with. */
export interface ApiGroup<N = unknown> {
  api: OpenAPIHono;
  context: () => N;
  /** The participant who calls; throws the key errors. */
  participant: (c: Context) => Promise<Caller>;
  /** Whoever calls, or null without a key; a wrong key still throws. */
  viewer: (c: Context) => Promise<Caller | null>;
}
