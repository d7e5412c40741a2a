import { CrowdaiError, type ErrorCode, parseExact } from "@crowdai/shared";
import { z } from "zod";
import { shownAddress } from "./broker-address.ts";
import { isHttp, NetworkFault } from "./network-fault.ts";
import { fieldOf } from "./not-understood.ts";
import { receivedErrorSchema } from "./received-error.ts";
import type { Reply } from "./response-body.ts";

const REPEATABLE_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);
const MAX_RETRY_AFTER_MS = 20_000;
const failureSchema = z.object({ error: receivedErrorSchema });

/**
 * An unusable answer. `refusal` is the server's own error, or null if the answer has none. `proxy` names the
 * proxy that seems to have answered in the server's place, and is empty if it has no name; null if the server
 * itself answered. `field` is the path of the first field that has another form than expected, if there is
 * one.
 */
export class BadResponse extends Error {
  override readonly name = "BadResponse";
  readonly status: number;
  readonly refusal: CrowdaiError | null;
  readonly retryAfterMs: number;
  readonly proxy: string | null;
  readonly field: string | null;

  constructor(
    message: string,
    status: number,
    refusal: CrowdaiError | null,
    {
      retryAfterMs = 0,
      proxy = null,
      field = null,
    }: { retryAfterMs?: number; proxy?: string | null; field?: string | null } = {},
  ) {
    super(message);
    this.status = status;
    this.refusal = refusal;
    this.retryAfterMs = retryAfterMs;
    this.proxy = proxy;
    this.field = field;
  }
}

/** Returns the value in a successful answer, checked against the schema. Throws BadResponse. */
export function readResponse<T>(reply: Reply, text: string, schema: z.ZodType<T>): T {
  const status = reply.statusCode ?? 0;
  const value = parse(text);
  if (status >= 200 && status < 300) {
    const found = schema.safeParse(value);
    if (found.success) return found.data;
    if (value === undefined) throw foreignResponse(reply, text);
    throw new BadResponse("unexpected JSON", status, null, { field: fieldOf(found.error) });
  }
  throw badResponse(reply, text);
}

/** Returns the error for an answer with a status outside 200 to 299. */
export function badResponse(reply: Reply, text: string): BadResponse {
  const status = reply.statusCode ?? 0;
  const refusal = failureSchema.safeParse(parse(text));
  if (refusal.success) {
    const error = CrowdaiError.fromBody(refusal.data.error);
    return new BadResponse(error.message, status, error, { retryAfterMs: retryAfter(reply) });
  }
  const code = storeCode(text);
  if (code === null) return foreignResponse(reply, text);
  return new BadResponse(`with status ${status} (${code})`, status, null, {
    retryAfterMs: retryAfter(reply),
  });
}

/** Returns the code of an S3 store's error, or null. */
export function storeCode(text: string): string | null {
  return /<Error>[\s\S]*?<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? null;
}

/** Returns the error for an answer that is not in the language of the server that was asked. */
export function foreignResponse(reply: Reply, text = ""): BadResponse {
  const status = reply.statusCode ?? 0;
  const message =
    status >= 300 && status < 400
      ? `with a redirect to ${reply.headers.location?.split("?")[0]}`
      : status >= 200 && status < 300
        ? `with ${describeBody(reply, text)}`
        : `with status ${status} and ${describeBody(reply, text)}`;
  return new BadResponse(message, status, null, { retryAfterMs: retryAfter(reply), proxy: nameOf(reply) });
}

/**
 * Whether an answer in a server's place says that it is away for a while, so that a later request may reach
 * it.
 */
const isTemporary = ({ status }: BadResponse) =>
  // 511: the network wants a person to sign in first.
  (status >= 500 && status !== 511) || [408, 425, 429].includes(status);

/**
 * The error for an answer that a proxy gave in place of a server, such as "the broker at https://host":
 * `away` where a later request may reach the server, else proxy_refused.
 */
export function proxyError(
  failure: BadResponse,
  { server, away, details }: { server: string; away: ErrorCode; details: Record<string, unknown> },
): CrowdaiError {
  const { proxy, message, status } = failure;
  const name = proxy ? `A proxy (${proxy})` : "A proxy";
  const why = status === 413 ? ": it does not accept a request of this size" : "";
  return new CrowdaiError(
    isTemporary(failure) ? away : "proxy_refused",
    `${name} answered in place of ${server} ${message}${why}.`,
    { details: { ...details, status, proxy: proxy || null }, cause: failure },
  );
}

/**
 * For withRetries: returns the minimum wait before the request is repeated, or false if that would not help.
 */
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

/** Returns the name that the sender gives itself, or an empty text. */
function nameOf({ headers }: Reply): string {
  return String(headers.server ?? headers.via ?? "")
    .replace(/[^\x20-\x7e]/g, "")
    .trim()
    .slice(0, 60);
}

function describeBody(reply: Reply, text: string): string {
  const type = reply.headers["content-type"]?.split(";")[0]?.trim();
  if (type === "text/html") return "a web page";
  if (type?.endsWith("json"))
    return parse(text) === undefined ? "a body that is not JSON" : "unexpected JSON";
  return type ? `a body of type ${type}` : "no JSON";
}

function retryAfter(reply: Reply): number {
  const header = reply.headers["retry-after"];
  if (!header) return 0;
  const seconds = Number(header);
  // By the clock of the sender, which this machine may not share.
  const sent = Date.parse(reply.headers.date ?? "");
  const now = Number.isNaN(sent) ? Date.now() : sent;
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
