import type { BytePath } from "../../git/byte-path.ts";

const MAX_PATH_BYTES = 1000;
const MAX_DEPTH = 60;

/**
 * Why a path cannot stand in a repository that everybody can clone: it means something else to git, to Windows or to a terminal, and
 * brokers refuse it. Null when it can.
 */
export function unportableName(path: BytePath): string | null {
  // Most names are plain.
  if (/^[\w/-]+(\.[\w-]+)*$/.test(path) && path.length < MAX_PATH_BYTES && !/(^|\/)git~/i.test(path)) {
    if (!/(^|\/)\.git(\/|$)/i.test(path) && path.split("/").length <= MAX_DEPTH) return null;
  }
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return "its name is not UTF-8";
  if (bytes.length > MAX_PATH_BYTES) return `its path has more than ${MAX_PATH_BYTES} bytes`;
  const names = text.split("/");
  if (names.length > MAX_DEPTH) return `it lies more than ${MAX_DEPTH} folders deep`;
  for (const name of names) {
    if (/[\p{Cc}\u2028\u2029]/u.test(name)) return "its name has a control character";
    if (name.includes("\\")) return "its name has a backslash";
    if (name.includes(":")) return "its name has a colon";
    if (/[. ]$/.test(name)) return "its name ends with a dot or a space";
    // Some file systems leave characters out of names, or have a short form for them.
    const plain = name.replace(/\p{Cf}/gu, "").normalize("NFKC");
    if (/^(\.git|git~\d+)\s*$/i.test(plain)) return "git keeps this name for itself";
  }
  return null;
}

/** Names that are one where case or the way of writing accents does not count. */
export function foldedName(path: BytePath): string {
  return Buffer.from(path, "latin1").toString("utf8").normalize("NFC").toLowerCase();
}

/** The longest line of a .gitattributes file that git's checks let pass. */
const ATTRIBUTES_LINE = 2048;

/** Why git's checks on the other side would refuse this file; null when they would not. */
export function refusedByGit(path: BytePath, text: string): string | null {
  if (!/(^|\/)\.gitattributes$/i.test(path)) return null;
  return text.split("\n").some((line) => line.length >= ATTRIBUTES_LINE)
    ? "a line of it is longer than git takes"
    : null;
}
