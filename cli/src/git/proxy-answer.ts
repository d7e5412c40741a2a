/** An answer over HTTP that git could not use, which did not come from the broker. */
export interface ProxyAnswer {
  status: number;
  /** Whether the same request may succeed later. */
  isTemporary: boolean;
  /** Says what answered, and how. */
  reason: string;
}

/** Of the client's errors: no key, a timeout, too many requests. */
const MAY_PASS = new Set([401, 407, 408, 425, 429]);

/**
 * Reads in git's messages what answered in place of the broker; null if nothing did. The broker explains its refusals in
 * text, which git shows as `remote: …`; a status without it comes from a proxy.
 */
export function readProxyAnswer(messages: string): ProxyAnswer | null {
  const status = Number(/The requested URL returned error: (\d{3})/.exec(messages)?.[1] ?? 0);
  if (status < 400 || /^remote: /m.test(messages)) return null;
  const why = status === 413 ? ": it does not accept a request of this size" : "";
  return {
    status,
    isTemporary: status >= 500 || MAY_PASS.has(status),
    reason: `a proxy answered in place of the git server with status ${status}${why}`,
  };
}
