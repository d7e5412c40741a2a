import type { BytePath } from "../../git/byte-path.ts";

const MAX_PATH_BYTES = 1000;
const MAX_DEPTH = 60;

/**
 * Returns why a path does not work on every machine that may clone the repository: git, Windows or a terminal would
 * interpret it, and brokers refuse it. Null if it works.
 */
export function unportableName(path: BytePath): string | null {
  // Fast path for plain names, which most are.
  if (/^[\w/-]+(\.[\w-]+)*$/.test(path) && path.length < MAX_PATH_BYTES && !/(^|\/)git~/i.test(path)) {
    if (!/(^|\/)\.git(\/|$)/i.test(path) && path.split("/").length <= MAX_DEPTH) return null;
  }
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return "its name is not UTF-8";
  if (bytes.length > MAX_PATH_BYTES) return `its path has more than ${MAX_PATH_BYTES} bytes`;
  const names = text.split("/");
  if (names.length > MAX_DEPTH) return `it is more than ${MAX_DEPTH} folders deep`;
  for (const name of names) {
    if (/[\p{Cc}\u2028\u2029]/u.test(name)) return "its name has a control character";
    if (name.includes("\\")) return "its name has a backslash";
    if (name.includes(":")) return "its name has a colon";
    if (/[. ]$/.test(name)) return "its name ends with a dot or a space";
    // Some file systems drop characters from names, or know files by a short name too.
    const plain = name.replace(/\p{Cf}/gu, "").normalize("NFKC");
    if (/^(\.git|git~\d+)\s*$/i.test(plain)) return "git reserves this name";
  }
  return null;
}

/** Returns the form in which names are equal that differ only in case or in the encoding of accents. */
export function foldedName(path: BytePath): string {
  return Buffer.from(path, "latin1").toString("utf8").normalize("NFC").toLowerCase();
}

/** Length of a .gitattributes line from which git's checks fail. */
const MAX_ATTRIBUTES_LINE = 2048;

/** Returns why git's checks on the broker would refuse this file, or null. */
export function refusedByGit(path: BytePath, text: string): string | null {
  if (!/(^|\/)\.gitattributes$/i.test(path)) return null;
  return text.split("\n").some((line) => line.length >= MAX_ATTRIBUTES_LINE)
    ? "one of its lines is longer than git allows"
    : null;
}
