import { asCrowdaiError, parseJson } from "@crowdai/shared";
import { nest } from "./nested-parameters.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";

/** What a call said, by name. */
export interface Parameters {
  /** As it was sent; undefined when it was not, or was null. */
  raw(name: string): unknown;
  /** As text; null when missing or blank. Throws a Refusal for a list or an object, and for a text that cannot be stored. */
  text(name: string): string | null;
  /** Whether there is anything but white space. */
  isPresent(name: string): boolean;
}

/** The parameters of the query string, merged over those of the body. Throws a Refusal for what cannot be read. */
export async function readParameters(request: Request): Promise<Parameters> {
  const { search } = new URL(request.url);
  const given = { ...(await readBody(request)), ...nest(formPairs(search.slice(1))) };
  const raw = (name: string): unknown => (Object.hasOwn(given, name) ? given[name] : undefined) ?? undefined;
  return {
    raw,
    text(name) {
      const value = raw(name);
      if (value === undefined) return null;
      if (typeof value === "object") throw new Refusal(texts.noText(name));
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

/** A body of a type that the webapp does not know, as `application/vnd.api+json`, says nothing. */
async function readBody(request: Request): Promise<Record<string, unknown>> {
  const header = request.headers.get("content-type") ?? "";
  switch (header.split(";", 1)[0]?.trim().toLowerCase()) {
    case "application/x-www-form-urlencoded":
      return nest(formPairs(await request.text()));
    case "multipart/form-data":
      return nest(await multipartPairs(await request.arrayBuffer(), header));
    case "application/json":
      return jsonObject(await request.text());
    default:
      return {};
  }
}

function jsonObject(text: string): Record<string, unknown> {
  if (text.trim() === "") return {};
  try {
    const value = parseJson(text, "The body");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch (thrown) {
    throw new Refusal(asCrowdaiError(thrown).message);
  }
}

/** Read whole first: a connection that breaks is no mistake of the form. */
async function multipartPairs(bytes: ArrayBuffer, type: string): Promise<[string, unknown][]> {
  if (bytes.byteLength === 0) return [];
  const whole = new Response(bytes, { headers: { "content-type": type } });
  const form = await whole.formData().catch(() => {
    throw new Refusal("Bad Request");
  });
  // A file has no place among the parameters.
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
