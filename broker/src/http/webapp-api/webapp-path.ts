const OURS = /^\/api\/(?:external_graders|submissions|challenges|participants|clef_tasks)(?:\/|$)/;

/**
 * The path of a request to the webapp's API in its plain form, or null when the request is for something else. Callers write
 * `/api//external_graders/` and `/api/submissions/12.json` too: doubled and trailing slashes and the suffix change nothing.
 */
export function webappPath(url: string): string | null {
  const path = new URL(url).pathname
    .replace(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "")
    .replace(/(?<=[^/])\.json$/, "");
  return OURS.test(path) ? path : null;
}
