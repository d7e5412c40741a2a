import { CrowdaiError, errorBodySchema } from "@crowdai/shared";
import { z } from "zod";
import { isHttp, NetworkFault } from "./network-fault.ts";
import type { Reply } from "./response-body.ts";

const REPEATABLE_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_RETRY_AFTER_MS = 20_000;
const failureSchema = z.object({ error: errorBodySchema });

/** An answer that is no success. `refusal` is what the broker said, null when the words are not a broker's. */
export class BadResponse extends Error {
  override readonly name = "BadResponse";
  readonly status: number;
  readonly refusal: CrowdaiError | null;
  readonly retryAfterMs: number;

  constructor(said: string, status: number, refusal: CrowdaiError | null, retryAfterMs = 0) {
    super(said);
    this.status = status;
    this.refusal = refusal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The value in an answer, checked. Throws BadResponse. */
export function readResponse<T>(reply: Reply, text: string, schema: z.ZodType<T>): T {
  const status = reply.statusCode ?? 0;
  const value = parse(text);
  if (status >= 200 && status < 300) {
    const found = schema.safeParse(value);
    if (found.success) return found.data;
    throw new BadResponse(value === undefined ? describeBody(reply) : "JSON of another shape", status, null);
  }
  throw badResponse(reply, text);
}

/** What an answer outside 200 to 299 says. */
export function badResponse(reply: Reply, text: string): BadResponse {
  const status = reply.statusCode ?? 0;
  const refusal = failureSchema.safeParse(parse(text));
  if (refusal.success) {
    const error = CrowdaiError.fromBody(refusal.data.error);
    return new BadResponse(error.message, status, error, retryAfter(reply));
  }
  if (status >= 300 && status < 400)
    return new BadResponse(`with a redirect to ${reply.headers.location?.split("?")[0]}`, status, null);
  return new BadResponse(`with status ${status} and ${describeBody(reply)}`, status, null, retryAfter(reply));
}

/** For withRetries: how long a repetition of a harmless request should wait at least, or false when it is no use. */
export function mayRepeat(failure: unknown): number | false {
  if (failure instanceof NetworkFault) return isHttp(failure) ? 0 : false;
  if (!(failure instanceof BadResponse) || !REPEATABLE_STATUS.has(failure.status)) return false;
  return failure.retryAfterMs <= MAX_RETRY_AFTER_MS ? failure.retryAfterMs : false;
}

export function unreachable(broker: URL, fault: NetworkFault): CrowdaiError {
  return new CrowdaiError(
    "broker_unreachable",
    `The broker at ${broker.origin} cannot be reached: ${fault.message}.`,
    {
      details: { broker: broker.origin, cause: fault.code },
      cause: fault,
    },
  );
}

export function notABroker(broker: URL, said: string): CrowdaiError {
  return new CrowdaiError(
    "not_a_broker",
    `What answers at ${broker.origin} is no crowdAI broker: it answered ${said}.`,
    {
      details: { broker: broker.origin },
    },
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeBody(reply: Reply): string {
  const type = reply.headers["content-type"]?.split(";")[0]?.trim();
  if (type === "text/html") return "a web page";
  if (type?.endsWith("json")) return "JSON of another shape";
  return type ? `something of type ${type}` : "nothing that is JSON";
}

function retryAfter(reply: Reply): number {
  const header = reply.headers["retry-after"];
  if (!header) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
