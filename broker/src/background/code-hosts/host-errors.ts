import { CrowdaiError } from "@crowdai/shared";

const MAX_WAIT_S = 3600;
const DEFAULT_WAIT_S = 60;

/** A code host as errors describe it. */
export interface Host {
  /** For example "GitHub at https://github.com". */
  label: string;
  /** The variables that name the token and the namespace of the repositories, and that namespace. */
  tokenName: string;
  placeName: string;
  place: string;
  /** The permissions that the token needs. */
  rights: string;
  /** Removed from every message, even if the host quotes it. */
  token: string;
}

/** An unsuccessful response of a host. */
export interface HostRefusal {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  /**
   * The host's message; null when the response is not in the host's form, so that something in between sent
   * it.
   */
  message: string | null;
}

/** Creates an error that requires no action: the broker retries. */
export function unreachable(host: Host, what: string, options: { after?: number; cause?: unknown } = {}) {
  const { after, cause } = options;
  return new CrowdaiError("code_host_unreachable", withoutToken(host, `${host.label} ${what}`), {
    cause,
    ...(after === undefined ? {} : { details: { retry_after_seconds: after } }),
  });
}

/**
 * Creates an error that requires action. The broker retries all the same, which is how it notices that the
 * problem is fixed.
 */
export function refused(host: Host, what: string, next: string) {
  return new CrowdaiError("code_host_refused", withoutToken(host, `${host.label} ${what} ${next}`), { next });
}

/** Creates the error that a response stands for. `doing` names the request: "create iris.ada". */
export function hostError(host: Host, doing: string, refusal: HostRefusal): CrowdaiError {
  const error: HostError = errorOf(host, doing, refusal);
  if (refusal.message !== null) error.hostStatus = refusal.status;
  return error;
}

interface HostError extends CrowdaiError {
  hostStatus?: number;
}

/** Returns the status with which the host itself answered; undefined when something else did. */
export const statusOf = (error: unknown): number | undefined =>
  error instanceof CrowdaiError ? (error as HostError).hostStatus : undefined;

function errorOf(host: Host, doing: string, { status, headers, message }: HostRefusal): CrowdaiError {
  const said = message ? `: ${message.replace(/\s+/g, " ").slice(0, 300)}` : "";
  const after = waitFor(status, headers, message ?? "");
  if (after !== null) return unreachable(host, `asks to wait ${after} s (${status}${said}).`, { after });
  if (message === null)
    return unreachable(
      host,
      `sent an unexpected response (${status}); a proxy in between may have answered.`,
    );
  if (status === 401)
    return refused(
      host,
      `rejected the token (401).`,
      `Set ${host.tokenName} to a valid token and restart the broker.`,
    );
  if (status === 403)
    return refused(host, `denied the request to ${doing} (403${said}).`, `The token needs ${host.rights}.`);
  if (status === 404)
    return refused(
      host,
      `has no "${host.place}", or hides it from the token (404).`,
      `Correct ${host.placeName}, or give the token ${host.rights}.`,
    );
  if (status === 400 || status === 409 || status === 422)
    return refused(
      host,
      `refused to ${doing} (${status}${said}).`,
      `Fix the problem that it names, or set ${host.placeName} to another place.`,
    );
  return unreachable(host, `answered ${status}${said}.`);
}

/**
 * Returns the seconds that a host asks to wait, at most an hour: the time it names, the time until its quota
 * resets, or a minute. Null when the response does not ask to wait.
 */
function waitFor(status: number, headers: HostRefusal["headers"], message: string): number | null {
  const number = (name: string) => {
    const value = headers[name];
    return value === undefined || value === null || value === "" ? Number.NaN : Number(value);
  };
  const isLimit =
    status === 429 ||
    (status === 403 && (number("x-ratelimit-remaining") === 0 || /rate limit|abuse/i.test(message)));
  const named = number("retry-after");
  const dated = Date.parse(String(headers["retry-after"] ?? ""));
  if (!isLimit && !(status === 503 && (named > 0 || dated > 0))) return null;
  // Relative to the host's own clock, which may differ from ours.
  const now = (Date.parse(String(headers.date ?? "")) || Date.now()) / 1000;
  const used = number("x-ratelimit-remaining") === 0 || number("ratelimit-remaining") === 0;
  const reset = number("x-ratelimit-reset") || number("ratelimit-reset");
  const seconds = named >= 0 ? named : dated > 0 ? dated / 1000 - now : used ? reset - now : DEFAULT_WAIT_S;
  if (!Number.isFinite(seconds)) return DEFAULT_WAIT_S;
  return Math.min(MAX_WAIT_S, Math.max(1, Math.ceil(seconds)));
}

function withoutToken({ token }: Host, text: string): string {
  return text.replaceAll(token, "…").replaceAll(encodeURIComponent(token), "…");
}

/** Holds back all calls to a host for as long as it asked one of them to wait. */
export function createPause(host: Host): { keep<T>(call: () => Promise<T>): Promise<T> } {
  let until = 0;
  return {
    async keep(call) {
      const left = Math.ceil((until - performance.now()) / 1000);
      if (left > 0) throw unreachable(host, `has asked to wait ${left} s more.`, { after: left });
      return call().catch((error: unknown) => {
        const after = error instanceof CrowdaiError ? Number(error.details?.retry_after_seconds ?? 0) : 0;
        until = Math.max(until, performance.now() + after * 1000);
        throw error;
      });
    },
  };
}
