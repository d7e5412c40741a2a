import { channel } from "node:diagnostics_channel";
import { redact } from "./redact.ts";

/**
 * A request as the HTTP client publishes it on the channel `crowdai:request`, when its answer or its failure
 * is known.
 */
export interface RequestMade {
  method: string;
  url: string;
  /** Null without an answer. */
  status: number | null;
  ms: number;
  /** The broker's id of the request. */
  requestId: string | null;
}

/**
 * Reports each request of this process on a line, without signatures, headers and bodies. Returns a function
 * that stops it.
 */
export function traceRequests(print: (line: string) => void): () => void {
  const show = (message: unknown) => {
    const { method, url, status, ms, requestId } = message as RequestMade;
    const answer = status === null ? "no answer" : String(status);
    print(
      redact(`${method} ${url} ${answer} ${Math.round(ms)} ms${requestId ? ` request ${requestId}` : ""}`),
    );
  };
  const requests = channel("crowdai:request");
  requests.subscribe(show);
  return () => void requests.unsubscribe(show);
}
