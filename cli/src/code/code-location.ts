import { type CodePlace, CrowdaiError, codePlaceSchema } from "@crowdai/shared";
import { locate } from "../client/http/broker-address.ts";
import type { HttpClient } from "../client/http/http-client.ts";

/** Where the code of a submission is cloned from: your own, or a published one. Throws code_unavailable. */
export function readCodeLocation(http: HttpClient, id: string): Promise<CodePlace> {
  return http.get(`/api/v1/submissions/${encodeURIComponent(id)}/code`, codePlaceSchema);
}

/** What git is given: the address, the key where it takes one, and the tag. */
export interface CloneSource {
  url: URL;
  /** Only ever for the broker itself. */
  key: string | null;
  tag: string;
}

/** Throws code_unavailable for a submission that has no commit yet. */
export async function cloneSource(
  http: HttpClient,
  place: CodePlace,
  readKey: () => Promise<string>,
): Promise<CloneSource> {
  if (place.tag === null)
    throw new CrowdaiError(
      "code_unavailable",
      `${place.submission} has not ended; its code becomes a commit with its grade.`,
      { next: `Wait for it: \`crowdai watch ${place.submission}\`.` },
    );
  const key = place.own && place.host === "local" ? await readKey() : null;
  return { url: cloneUrl(http.broker, place), key, tag: place.tag };
}

/** The broker's repositories are reached by the address that the broker is, which may not be the one it knows of itself. */
function cloneUrl(broker: URL, { host, clone_url }: CodePlace): URL {
  const at = host === "local" ? clone_url.indexOf("/code/") : -1;
  const url = at >= 0 ? locate(broker, clone_url.slice(at)) : parse(clone_url);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw new CrowdaiError("unexpected", "The broker names an address that is none.");
}

function parse(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
