import type { BytePath } from "../snapshot/files/list-files.ts";

/** A path as people and JSON see it: text where it is UTF-8, and what is no text as `\x80`. */
export function shownPath(path: BytePath): string {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (!text.includes("\ufffd") || Buffer.from(text).equals(bytes)) return text;
  return path.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
