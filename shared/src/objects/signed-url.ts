import { createHmac, timingSafeEqual } from "node:crypto";
import { CrowdaiError } from "../protocol/errors.ts";
import { OBJECT_KEY } from "./object-store.ts";

/**
 * What a signed address binds. A PUT of a whole object has `size` and `sha256`, one of a part `size`, `part` (its number) and `md5`;
 * `name` and `type` say how a GET is answered.
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

/** The address under `baseUrl` for exactly this request: HMAC-SHA256 over every field. */
export function signUrl(baseUrl: string, secret: string | Buffer, request: SignedRequest): string {
  const url = new URL(baseUrl + PATH + request.key);
  url.searchParams.set("method", request.method);
  url.searchParams.set("expires", String(request.expires));
  for (const field of FIELDS)
    if (request[field] !== undefined) url.searchParams.set(field, String(request[field]));
  url.searchParams.set("signature", signature(secret, request));
  return url.href;
}

/** What a URL allows. Throws signature_invalid when it was changed, or has ended at `now` (milliseconds). */
export function readSignedUrl(url: URL, secret: string | Buffer, now: number): SignedRequest {
  const get = (name: string) => url.searchParams.get(name) ?? undefined;
  const number = (name: string) => (get(name) === undefined ? undefined : Number(get(name)));
  const request: SignedRequest = {
    method: get("method") === "PUT" ? "PUT" : "GET",
    // Not decoded: a key has no character that needs it, so what comes encoded is no key.
    key: url.pathname.slice(url.pathname.indexOf(PATH) + PATH.length),
    expires: Number(get("expires")),
    size: number("size"),
    sha256: get("sha256"),
    part: number("part"),
    md5: get("md5"),
    name: get("name"),
    type: get("type"),
  };
  // As text: several texts decode to the same bytes, and only one of them was given out.
  const given = Buffer.from(url.searchParams.get("signature") ?? "");
  const wanted = Buffer.from(signature(secret, request));
  if (!OBJECT_KEY.test(request.key) || given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new CrowdaiError("signature_invalid");
  // Said this way round, what is no number has ended too.
  if (!(Number.isSafeInteger(request.expires) && request.expires * 1000 > now))
    throw new CrowdaiError("signature_invalid", "The signed address has ended.");
  return request;
}

const wellFormed = <T>(value: T) => (typeof value === "string" ? value.toWellFormed() : value);

function signature(secret: string | Buffer, request: SignedRequest): string {
  // A JSON array: no field can run over into the next.
  const fields = [
    request.method,
    request.key,
    request.expires,
    // As an address carries it, which turns half a surrogate pair into another character.
    ...FIELDS.map((field) => wellFormed(request[field]) ?? null),
  ];
  return createHmac("sha256", secret).update(JSON.stringify(fields)).digest("base64url");
}
