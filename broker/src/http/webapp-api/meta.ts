import { asCrowdaiError, CrowdaiError, parseJson } from "@crowdai/shared";
import { Refusal } from "./webapp-errors.ts";

/**
 * A sent meta as the value it stands for: JSON text is read, text that is no JSON becomes `{}`, and nothing at all (undefined) null.
 * Throws a Refusal for one that is nested too deeply.
 */
export function readMeta(sent: unknown): unknown {
  if (sent === undefined) return null;
  if (typeof sent !== "string" || sent === "") return sent;
  try {
    return parseJson(sent, "meta");
  } catch (thrown) {
    if (thrown instanceof CrowdaiError && thrown.code === "value_not_json") return {};
    throw new Refusal(asCrowdaiError(thrown).message);
  }
}

/** What an update makes of it: a sent key wins over a stored one, and keys that were not sent stay. */
export function mergeMeta(stored: unknown, sent: unknown, overwrite: boolean): unknown {
  if (stored === null || overwrite || !isObject(stored) || !isObject(sent)) return sent;
  return { ...stored, ...sent };
}

/** The column's text; null for nothing. */
export const metaText = (meta: unknown): string | null => (meta === null ? null : JSON.stringify(meta));
export const metaOf = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
