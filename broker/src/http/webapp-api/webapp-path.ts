const OURS = /^\/api\/(?:external_graders|submissions|challenges|participants|clef_tasks)(?:\/|$)/;

/**
 * Returns the normalized path of a request to the webapp's API, or null for any other request. Double and
 * trailing slashes and the suffix `.json` are ignored, as in `/api//external_graders/` and
 * `/api/submissions/12.json`.
 */
export function webappPath(url: string): string | null {
  const path = new URL(url).pathname
    .replace(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "")
    .replace(/(?<=[^/])\.json$/, "");
  return OURS.test(path) ? path : null;
}
