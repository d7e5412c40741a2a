import { CrowdaiError, errorBodySchema, parseExact } from "@crowdai/shared";
import { z } from "zod";
import { shownAddress } from "./broker-address.ts";
import { isHttp, NetworkFault } from "./network-fault.ts";
import type { Reply } from "./response-body.ts";

const REPEATABLE_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_RETRY_AFTER_MS = 20_000;
const failureSchema = z.object({ error: errorBodySchema });

/** An unusable answer. `refusal` is the broker's error, or null if the answer has none. */
export class BadResponse extends Error {
  override readonly name = "BadResponse";
  readonly status: number;
  readonly refusal: CrowdaiError | null;
  readonly retryAfterMs: number;

  constructor(message: string, status: number, refusal: CrowdaiError | null, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.refusal = refusal;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Returns the value in a successful answer, checked against the schema. Throws BadResponse. */
export function readResponse<T>(reply: Reply, text: string, schema: z.ZodType<T>): T {
  const status = reply.statusCode ?? 0;
  const value = parse(text);
  if (status >= 200 && status < 300) {
    const found = schema.safeParse(value);
    if (found.success) return found.data;
    throw new BadResponse(value === undefined ? describeBody(reply) : "unexpected JSON", status, null);
  }
  throw badResponse(reply, text);
}

/** Returns the error for an answer with a status outside 200 to 299. */
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

/** For withRetries: returns the minimum wait before the request is repeated, or false if that would not help. */
export function mayRepeat(failure: unknown): number | false {
  if (failure instanceof NetworkFault) return isHttp(failure) ? 0 : false;
  if (!(failure instanceof BadResponse) || !REPEATABLE_STATUS.has(failure.status)) return false;
  return failure.retryAfterMs <= MAX_RETRY_AFTER_MS ? failure.retryAfterMs : false;
}

/** The error for a broker that a request could not reach. */
export function unreachable(broker: URL, fault: NetworkFault): CrowdaiError {
  return new CrowdaiError(
    "broker_unreachable",
    `The broker at ${shownAddress(broker)} cannot be reached: ${fault.message}.`,
    {
      details: { broker: shownAddress(broker), cause: fault.code },
      cause: fault,
    },
  );
}

/** The error for an address where another server answers. `answer` completes "it answered …". */
export function notABroker(broker: URL, answer: string): CrowdaiError {
  return new CrowdaiError(
    "not_a_broker",
    `${shownAddress(broker)} is not a crowdAI broker: it answered ${answer}.`,
    {
      details: { broker: shownAddress(broker) },
    },
  );
}

function parse(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

function describeBody(reply: Reply): string {
  const type = reply.headers["content-type"]?.split(";")[0]?.trim();
  if (type === "text/html") return "a web page";
  if (type?.endsWith("json")) return "unexpected JSON";
  return type ? `a body of type ${type}` : "no JSON";
}

function retryAfter(reply: Reply): number {
  const header = reply.headers["retry-after"];
  if (!header) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
