/**
 * Returns the key of an Authorization header as the webapp's callers write it: `Token token=<key>`, with or
 * without quotes, `Token <key>`, and both with `Bearer`. Ignores what follows a comma, semicolon or tab. Null
 * when there is no key.
 */
export function headerKey(header: string | undefined): string | null {
  const rest = /^(?:Token|Bearer)\s+(.*)$/s.exec(header ?? "")?.[1];
  const first = rest?.split(/\s*[,;\t]\s*/, 1)[0] ?? "";
  const key = first.replace(/^token=/, "").replace(/^"|"$/g, "");
  return key.trim() === "" ? null : key;
}
