import { CrowdaiError, type ErrorCode } from "@crowdai/shared";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { asBrokerError } from "../../base/machine-error.ts";

/** Codes of the catalog for the statuses with which the HTTP framework refuses a request. */
const CODES: Record<number, ErrorCode> = {
  401: "no_key",
  403: "not_allowed",
  404: "not_found",
  413: "message_too_large",
  415: "media_type_unsupported",
};

/**
 * Returns the catalog's error for what a route threw. A refusal by the HTTP framework is the client's fault,
 * and so is a body that ends early because the client left.
 */
export function requestError(c: Context, thrown: unknown): CrowdaiError {
  if (thrown instanceof CrowdaiError) return asBrokerError(thrown);
  if (c.req.raw.signal.aborted) return new CrowdaiError("interrupted", undefined, { cause: thrown });
  if (!(thrown instanceof HTTPException) || thrown.status >= 500) return asBrokerError(thrown);
  return new CrowdaiError(CODES[thrown.status] ?? "usage", thrown.message || undefined, { cause: thrown });
}
