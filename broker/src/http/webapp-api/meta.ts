import { asCrowdaiError, CrowdaiError, parseExact, parseLenientJson } from "@crowdai/shared";
import { Refusal } from "./webapp-errors.ts";

/**
 * Reads a sent meta: parses JSON text, in which NaN and Infinity count as null; other text becomes `{}`, and
 * undefined becomes null. Throws a Refusal for a meta that is nested too deeply.
 */
export function readMeta(sent: unknown): unknown {
  if (sent === undefined) return null;
  if (typeof sent !== "string" || sent === "") return sent;
  try {
    return parseLenientJson(sent, "meta").value;
  } catch (thrown) {
    if (thrown instanceof CrowdaiError && thrown.code === "value_not_json") return {};
    throw new Refusal(asCrowdaiError(thrown).message);
  }
}

/** Merges a sent meta into the stored one: sent keys win, and keys that were not sent stay. */
export function mergeMeta(stored: unknown, sent: unknown, overwrite: boolean): unknown {
  if (stored === null || overwrite || !isObject(stored) || !isObject(sent)) return sent;
  return { ...stored, ...sent };
}

/** Returns the column's text; null for no meta. */
export const metaText = (meta: unknown): string | null => (meta === null ? null : JSON.stringify(meta));
export const metaOf = (text: string | null): unknown => (text === null ? null : parseExact(text));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
