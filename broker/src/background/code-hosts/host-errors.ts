import { CrowdaiError } from "@crowdai/shared";

const MAX_WAIT_S = 3600;
const SHORTEST_WAIT_S = 60;

/** A host as messages speak of it. */
export interface Host {
  /** "GitHub at https://github.com". */
  label: string;
  /** The variables that name the token and the place of the repositories, and that place. */
  tokenName: string;
  placeName: string;
  place: string;
  /** What the token must be allowed to do. */
  rights: string;
  /** In no message, whoever repeats it. */
  token: string;
}

/** What a host answered that was not what had been asked for. */
export interface Refusal {
  status: number;
  headers: Readonly<Record<string, unknown>>;
  /** The answer's own words; null where it was not in the host's form, so that it is something in between that speaks. */
  message: string | null;
}

/** Asks nothing of anybody: it is tried again. */
export function unreachable(host: Host, what: string, options: { after?: number; cause?: unknown } = {}) {
  const { after, cause } = options;
  return new CrowdaiError("code_host_unreachable", withoutToken(host, `${host.label} ${what}`), {
    cause,
    ...(after === undefined ? {} : { details: { retry_after_seconds: after } }),
  });
}

/** Somebody has to do something; it is tried again all the same, for that is how it is noticed that they have. */
export function refused(host: Host, what: string, next: string) {
  return new CrowdaiError("code_host_refused", withoutToken(host, `${host.label} ${what} ${next}`), { next });
}

/** The one clear error that an answer becomes. `doing` says what was tried: "make iris.ada". */
export function hostError(host: Host, doing: string, refusal: Refusal): CrowdaiError {
  const error = errorOf(host, doing, refusal);
  if (refusal.message !== null) statuses.set(error, refusal.status);
  return error;
}

const statuses = new WeakMap<object, number>();

/** What the host itself answered, by the error that it became; undefined where it was something else that spoke. */
export const statusOf = (error: unknown): number | undefined =>
  typeof error === "object" && error !== null ? statuses.get(error) : undefined;

function errorOf(host: Host, doing: string, { status, headers, message }: Refusal): CrowdaiError {
  const said = message ? `: ${message.replace(/\s+/g, " ").slice(0, 300)}` : "";
  const after = waitFor(status, headers, message ?? "");
  if (after !== null) return unreachable(host, `asks to wait ${after} s (${status}${said}).`, { after });
  if (message === null)
    return unreachable(
      host,
      `answered ${status} in a form that is not its own; something in between may have answered.`,
    );
  if (status === 401)
    return refused(
      host,
      `does not know the token (401).`,
      `Set ${host.tokenName} to a valid one and start the broker again.`,
    );
  if (status === 403)
    return refused(host, `does not let the token ${doing} (403${said}).`, `The token needs ${host.rights}.`);
  if (status === 404)
    return refused(
      host,
      `knows no "${host.place}", or does not show it to the token (404).`,
      `Correct ${host.placeName}, or give the token ${host.rights}.`,
    );
  if (status === 400 || status === 409 || status === 422)
    return refused(
      host,
      `refuses to ${doing} (${status}${said}).`,
      "Change there what it names, or choose another place.",
    );
  return unreachable(host, `answered ${status}${said}.`);
}

/**
 * How long a host asks to wait, in seconds, an hour at most: what it names, when its quota is full again, or a minute. Null where it was
 * not about that.
 */
function waitFor(status: number, headers: Refusal["headers"], message: string): number | null {
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
  // The host's own clock says how far off its time is.
  const now = (Date.parse(String(headers.date ?? "")) || Date.now()) / 1000;
  const used = number("x-ratelimit-remaining") === 0 || number("ratelimit-remaining") === 0;
  const reset = number("x-ratelimit-reset") || number("ratelimit-reset");
  const seconds = named >= 0 ? named : dated > 0 ? dated / 1000 - now : used ? reset - now : SHORTEST_WAIT_S;
  if (!Number.isFinite(seconds)) return SHORTEST_WAIT_S;
  return Math.min(MAX_WAIT_S, Math.max(1, Math.ceil(seconds)));
}

function withoutToken({ token }: Host, text: string): string {
  return text.replaceAll(token, "…").replaceAll(encodeURIComponent(token), "…");
}

/** Keeps all of the broker's calls from a host for as long as it asked one of them to wait. */
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
