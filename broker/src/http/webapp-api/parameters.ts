import { isUtf8 } from "node:buffer";
import { asCrowdaiError, isExactNumber, parseJson, parseLenientJson } from "@crowdai/shared";
import { nest } from "./nested-parameters.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

/** The parameters of a call, by name. */
export interface Parameters {
  /** Returns the value as sent; undefined when it is missing or null. */
  raw(name: string): unknown;
  /**
   * Returns the value as text; null when missing or blank. Throws a Refusal for a list, an object, or text
   * with a null byte.
   */
  text(name: string): string | null;
  /** Whether the value is more than white space. */
  isPresent(name: string): boolean;
}

/**
 * Reads the parameters of the query string, merged over those of the body. Throws a Refusal for an invalid
 * request.
 */
export async function readParameters(request: Request): Promise<Parameters> {
  const { search } = new URL(request.url);
  const given = { ...(await readBody(request)), ...nest(formPairs(search.slice(1))) };
  const raw = (name: string): unknown => (Object.hasOwn(given, name) ? given[name] : undefined) ?? undefined;
  return {
    raw,
    text(name) {
      const value = raw(name);
      if (value === undefined) return null;
      if (typeof value === "object" && !isExactNumber(value)) throw new Refusal(texts.noText(name));
      const text = String(value);
      if (text.includes("\0")) throw new Refusal(texts.nullByte);
      return text.trim() === "" ? null : text;
    },
    isPresent(name) {
      const value = raw(name);
      if (value === undefined || value === false) return false;
      if (typeof value === "string") return value.trim() !== "";
      return typeof value !== "object" || Object.keys(value as object).length > 0;
    },
  };
}

/** Ignores a body of a type that the webapp does not know, such as `application/vnd.api+json`. */
async function readBody(request: Request): Promise<Record<string, unknown>> {
  const header = request.headers.get("content-type") ?? "";
  switch (header.split(";", 1)[0]?.trim().toLowerCase()) {
    case "application/x-www-form-urlencoded":
      return nest(formPairs(await request.text()));
    case "multipart/form-data":
      return nest(await multipartPairs(await request.arrayBuffer(), header));
    case "application/json":
      return jsonObject(Buffer.from(await request.arrayBuffer()));
    default:
      return {};
  }
}

function jsonObject(bytes: Buffer): Record<string, unknown> {
  if (!isUtf8(bytes)) throw new Refusal("The body is not UTF-8 text.");
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") return {};
  try {
    const { value, notFinite } = parseLenientJson(text, "The body");
    // A NaN in meta must not cost the grade; anywhere else it is refused with its place.
    if (!notFinite.every((path) => path.startsWith("meta."))) parseJson(text, "The body");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch (thrown) {
    throw new Refusal(asCrowdaiError(thrown).message);
  }
}

/** Takes the whole body, so that a broken connection is not reported as a broken form. */
async function multipartPairs(bytes: ArrayBuffer, type: string): Promise<[string, unknown][]> {
  if (bytes.byteLength === 0) return [];
  const whole = new Response(bytes, { headers: { "content-type": type } });
  const form = await whole.formData().catch(() => {
    throw new Refusal("Bad Request");
  });
  // Files are not parameters.
  return [...form].filter(([, value]) => typeof value === "string");
}

function* formPairs(text: string): Generator<[string, string]> {
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const [name, value] = equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
    yield [decode(name), decode(value)];
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Refusal(`invalid %-encoding (${text.slice(0, 100)})`);
  }
}
