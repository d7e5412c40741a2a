/**
 * Returns a path of this broker to go back to, or "/" when the value is not one. Browsers read a location
 * that begins with two slashes as another host's, so the normalized path is what counts: `/.//evil.com` is
 * `//evil.com`.
 */
export function localPath(value: unknown): string {
  if (typeof value !== "string" || value.length > 500 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return "/";
  const url = new URL(value, "http://broker.invalid");
  if (url.host !== "broker.invalid" || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}
