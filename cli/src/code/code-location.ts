import { type CodePlace, CrowdaiError, codePlaceSchema } from "@crowdai/shared";
import { locate } from "../client/http/broker-address.ts";
import type { HttpClient } from "../client/http/http-client.ts";

/**
 * Returns the location of a submission's code, if it is the participant's own or published. Throws
 * code_unavailable.
 */
export function readCodeLocation(http: HttpClient, id: string): Promise<CodePlace> {
  return http.get(`/api/v1/submissions/${encodeURIComponent(id)}/code`, codePlaceSchema);
}

/** The arguments of a clone: address, tag, and the key if one is needed. */
export interface CloneSource {
  url: URL;
  /** Set only for repositories at the broker itself. */
  key: string | null;
  tag: string;
}

/** Returns the source of a clone. Throws code_unavailable if the submission has no commit yet. */
export async function cloneSource(
  http: HttpClient,
  place: CodePlace,
  readKey: () => Promise<string>,
): Promise<CloneSource> {
  if (place.tag === null)
    throw new CrowdaiError(
      "code_unavailable",
      `${place.submission} is not graded yet; its code becomes available with the grade.`,
      { next: `Wait for it: \`crowdai watch ${place.submission}\`.` },
    );
  const key = place.own && place.host === "local" ? await readKey() : null;
  return { url: cloneUrl(http.broker, place), key, tag: place.tag };
}

/**
 * Returns the clone address. For the broker's own repositories, it uses the address under which this client
 * knows the broker.
 */
function cloneUrl(broker: URL, { host, clone_url }: CodePlace): URL {
  const at = host === "local" ? clone_url.indexOf("/code/") : -1;
  const url = at >= 0 ? locate(broker, clone_url.slice(at)) : parse(clone_url);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new CrowdaiError("unexpected", `The broker sent an invalid clone address: ${clone_url}.`);
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
