/** An answer over HTTP that git could not use, which did not come from the broker. */
export interface ProxyAnswer {
  status: number;
  /** Whether the same request may succeed later. */
  isTemporary: boolean;
  /** Says what answered, and how. */
  reason: string;
}

/** Of the statuses below 500: no key, a timeout, too many requests. */
const MAY_PASS = new Set([401, 408, 425, 429]);

/** How git complains about an answer that is not in its protocol, such as a web page. */
const NOT_GIT = /no DAV locking support on|not valid: is this a git repository|bad line length character/;

/**
 * Reads in git's messages what answered in place of the broker; null if nothing did. The broker explains its
 * refusals in text, which git shows as `remote: …`; a status without it comes from a proxy.
 */
export function readProxyAnswer(messages: string): ProxyAnswer | null {
  if (/^remote: /m.test(messages)) return null;
  if (NOT_GIT.test(messages)) return refusal(200, "with something that is not git's protocol");
  const named = /The requested URL returned error: (\d{3})/.exec(messages)?.[1];
  const status = Number(named ?? (/^fatal: repository '.*' not found$/m.test(messages) ? 404 : 0));
  if (status < 300) return null;
  const why = status === 413 ? ": it does not accept a request of this size" : "";
  return refusal(status, `with status ${status}${why}`);
}

function refusal(status: number, answer: string): ProxyAnswer {
  return {
    status,
    isTemporary: status >= 500 || MAY_PASS.has(status),
    reason: `a proxy answered in place of the git server ${answer}`,
  };
}
