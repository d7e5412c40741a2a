/** Returns a path of this broker to go back to, or "/" when the value is not one. */
export function localPath(value: unknown): string {
  if (typeof value !== "string" || value.length > 500 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return "/";
  const url = new URL(value, "http://broker.invalid");
  return url.host === "broker.invalid" ? url.pathname + url.search + url.hash : "/";
}
