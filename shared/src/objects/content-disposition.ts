/**
 * A Content-Disposition header that saves under `name`, whatever was handed in as one: a plain file name for every
 * client, and the name as it is, short of what could lead elsewhere or be mistaken, for those that know RFC 6266.
 */
export function attachment(name: string): string {
  // Control and direction characters can hide what a name ends with; slashes and leading dots lead elsewhere.
  const safe = name
    .toWellFormed()
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]/gu, "_")
    .replace(/^\.+/, "_")
    .slice(0, 255)
    .toWellFormed();
  const known = safe || "object";
  const plain = known.replace(/[^\x20-\x7e]|["%]/gu, "_");
  const encoded = encodeURIComponent(known).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
