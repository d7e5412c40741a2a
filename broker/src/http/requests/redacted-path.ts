/**
 * Returns a path for logs and messages, without the keys that the original webapp's routes hold, and the
 * codes of join links.
 */
export function redactedPath(path: string): string {
  return path
    .replace(/(\/join\/).+/i, "$1…")
    .replace(/crowdai_[0-9A-Za-z]+/g, "crowdai_…")
    .replace(/\b[0-9a-f]{32}\b/g, "…")
    .slice(0, 300);
}
