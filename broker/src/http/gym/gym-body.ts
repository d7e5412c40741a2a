import { CrowdaiError, MAX_STEP_BYTES, parseJson } from "@crowdai/shared";
import type { Context } from "hono";
import { bearerKey } from "../requests/bearer-key.ts";

/** The longest body: a step, and what clients send besides its action. */
export const MAX_GYM_BYTES = MAX_STEP_BYTES + 4096;

/** Returns the JSON body of a request; null for none. Clients send `null` where they have nothing to say. */
export async function readBody(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    // Says what is wrong, and where.
    return parseJson(text, "The request body");
  }
}

/** Returns a field of a body; undefined when there is none. */
export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null && Object.hasOwn(body, name)
    ? (body as Record<string, unknown>)[name]
    : undefined;
}

/** Returns a field that must be there. As at the servers of 2017, null and what is empty count as missing. */
export function requiredField(body: unknown, name: string): unknown {
  const value = fieldOf(body, name);
  const isEmpty = value === "" || (Array.isArray(value) && value.length === 0);
  if (value !== undefined && value !== null && !isEmpty) return value;
  throw new CrowdaiError("usage", `A required request parameter '${name}' was not provided.`);
}

export function gymTextField(body: unknown, name: string): string | undefined {
  const value = fieldOf(body, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new CrowdaiError("usage", `The request parameter '${name}' is not a text.`);
}

/** Returns a number from 1 on. */
export function numberField(body: unknown, name: string): number | undefined {
  const value = fieldOf(body, name);
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new CrowdaiError("usage", `The request parameter '${name}' is not a number from 1 on.`);
}

/** Returns the key that a request carries: in its body, as a bearer, or as the password in its address. */
export function gymKeyOf(c: Context, body: unknown): string | undefined {
  return gymTextField(body, "token") || bearerKey(c) || basicKey(c.req.header("authorization"));
}

function basicKey(header: string | undefined): string | undefined {
  const encoded = header?.match(/^Basic\s+(\S+)$/i)?.[1];
  if (encoded === undefined) return undefined;
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return password.join(":") || user || undefined;
}
