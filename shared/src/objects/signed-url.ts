import { createHmac, timingSafeEqual } from "node:crypto";
import { CrowdaiError } from "../protocol/errors.ts";

/** What a signed address binds. `size` and `sha256` are for PUT; `name` and `type` say how a GET is answered. */
export interface SignedRequest {
  method: "PUT" | "GET";
  key: string;
  /** Seconds since 1970. */
  expires: number;
  size?: number;
  sha256?: string;
  name?: string;
  type?: string;
}

const FIELDS = ["size", "sha256", "name", "type"] as const;

/** The address under `baseUrl` for exactly this request: HMAC-SHA256 over every field. */
export function signUrl(baseUrl: string, secret: string | Buffer, request: SignedRequest): string {
  const url = new URL(`${baseUrl}/objects/${request.key}`);
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
  const size = get("size");
  const request: SignedRequest = {
    method: get("method") === "PUT" ? "PUT" : "GET",
    key: decodeURIComponent(url.pathname.replace(/^.*?\/objects\//, "")),
    expires: Number(get("expires")),
    ...(size === undefined ? {} : { size: Number(size) }),
    ...Object.fromEntries(
      FIELDS.slice(1).flatMap((field) => (get(field) === undefined ? [] : [[field, get(field)]])),
    ),
  };
  const given = Buffer.from(get("signature") ?? "", "base64url");
  const wanted = Buffer.from(signature(secret, request), "base64url");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new CrowdaiError("signature_invalid");
  if (!(request.expires * 1000 > now))
    throw new CrowdaiError("signature_invalid", "The signed address has ended.");
  return request;
}

function signature(secret: string | Buffer, request: SignedRequest): string {
  // A JSON array: no field can run over into the next.
  const fields = [
    request.method,
    request.key,
    request.expires,
    ...FIELDS.map((field) => request[field] ?? null),
  ];
  return createHmac("sha256", secret).update(JSON.stringify(fields)).digest("base64url");
}
