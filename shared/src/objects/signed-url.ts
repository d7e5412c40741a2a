import { createHmac, timingSafeEqual } from "node:crypto";
import { CrowdaiError } from "../protocol/errors.ts";
import { OBJECT_KEY } from "./object-store.ts";

/**
 * The request that a signed URL allows. A PUT of a whole object has `size` and `sha256`, a PUT of a part
 * `size`, `part` (its number) and `md5`. `name` and `type` set the headers of the response to a GET.
 */
export interface SignedRequest {
  method: "PUT" | "GET";
  key: string;
  /** Seconds since 1970. */
  expires: number;
  size?: number | undefined;
  sha256?: string | undefined;
  part?: number | undefined;
  md5?: string | undefined;
  name?: string | undefined;
  type?: string | undefined;
}

const FIELDS = ["size", "sha256", "part", "md5", "name", "type"] as const;
const PATH = "/objects/";

/** Returns the URL for exactly this request, signed by HMAC-SHA256 over all fields. */
export function signUrl(baseUrl: string, secret: string | Buffer, request: SignedRequest): string {
  const url = new URL(baseUrl + PATH + request.key);
  url.searchParams.set("method", request.method);
  url.searchParams.set("expires", String(request.expires));
  for (const field of FIELDS)
    if (request[field] !== undefined) url.searchParams.set(field, String(request[field]));
  url.searchParams.set("signature", signature(secret, request));
  return url.href;
}

/**
 * Returns the request that a URL allows. Throws signature_invalid when it was modified, or has expired at
 * `now` (milliseconds).
 */
export function readSignedUrl(url: URL, secret: string | Buffer, now: number): SignedRequest {
  const get = (name: string) => url.searchParams.get(name) ?? undefined;
  const number = (name: string) => (get(name) === undefined ? undefined : Number(get(name)));
  const request: SignedRequest = {
    method: get("method") === "PUT" ? "PUT" : "GET",
    // Not decoded, because keys contain no characters that are encoded.
    key: url.pathname.slice(url.pathname.indexOf(PATH) + PATH.length),
    expires: Number(get("expires")),
    size: number("size"),
    sha256: get("sha256"),
    part: number("part"),
    md5: get("md5"),
    name: get("name"),
    type: get("type"),
  };
  // Compared as text, because several texts decode to the same bytes.
  const given = Buffer.from(url.searchParams.get("signature") ?? "");
  const wanted = Buffer.from(signature(secret, request));
  if (!OBJECT_KEY.test(request.key) || given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new CrowdaiError("signature_invalid");
  // Written so that NaN counts as expired.
  if (!(Number.isSafeInteger(request.expires) && request.expires * 1000 > now))
    throw new CrowdaiError("signature_invalid", "The signed URL has expired.");
  return request;
}

const wellFormed = <T>(value: T) => (typeof value === "string" ? value.toWellFormed() : value);

function signature(secret: string | Buffer, request: SignedRequest): string {
  // A JSON array, so that fields cannot run into each other.
  const fields = [
    request.method,
    request.key,
    request.expires,
    // As encoded in a URL, which replaces half a surrogate pair.
    ...FIELDS.map((field) => wellFormed(request[field]) ?? null),
  ];
  return createHmac("sha256", secret).update(JSON.stringify(fields)).digest("base64url");
}
