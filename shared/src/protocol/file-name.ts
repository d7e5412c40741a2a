const MAX_PATH_BYTES = 1000;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 60;
/** Names that Windows reads as devices, with any extension. */
const DEVICE =
  /^(con|prn|aux|nul|conin\$|conout\$|com[\d\u00b9\u00b2\u00b3]|lpt[\d\u00b9\u00b2\u00b3])\s*(\.|$)/i;

/**
 * Most names: the checks of a tree of 200,000 files take a quarter of the time when these skip what cannot
 * apply to them.
 */
const PLAIN = /^[\w-]+(\.[\w-]+)*$/;

/**
 * Returns why a path, with slashes between its names, does not work on every machine that may receive the
 * file: an operating system, git or a terminal would read it as something else. Null if it works. This one
 * rule holds for the public files of a challenge, for their download and for code.
 */
export function fileNameProblem(path: string): string | null {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `its path has more than ${MAX_PATH_BYTES} bytes`;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (folder !== "" && folder === lastFolder) return nameProblem(path.slice(folder.length));
  const names = path.split("/");
  if (names.length > MAX_DEPTH) return `it is more than ${MAX_DEPTH} folders deep`;
  for (const name of names) {
    const problem = nameProblem(name);
    if (problem) return problem;
  }
  lastFolder = folder;
  return null;
}

/** The folder of the last path whose every name was checked. Paths mostly come sorted, folder by folder. */
let lastFolder = "";

function nameProblem(name: string): string | null {
  if (name.length <= MAX_NAME_BYTES && PLAIN.test(name) && !DEVICE.test(name)) return null;
  if (name === "" || name === "." || name === "..") return "its path leads to another folder";
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) return "its name has a control character";
  if (/\p{Bidi_Control}/u.test(name)) return "its name has a character that changes the direction of text";
  if (!name.isWellFormed()) return "its name is not Unicode";
  // Some file systems drop characters from names, or know files by a short name too.
  const plain = name.replace(/\p{Cf}/gu, "").normalize("NFKC");
  if (/^(\.git|git~\d+)\s*(:.*)?$/i.test(plain)) return "git reserves this name";
  if (name.includes("\\")) return "its name has a backslash";
  if (name.includes(":")) return "its name has a colon";
  const other = /[<>"|?*]/.exec(name);
  if (other) return `its name has the character ${other[0]}, which Windows does not allow`;
  if (/[. ]$/.test(name)) return "its name ends with a dot or a space";
  if (DEVICE.test(name)) return "Windows reserves this name for a device";
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? `its name has more than ${MAX_NAME_BYTES} bytes` : null;
}

/** Returns the form in which names are equal that differ only in case or in the encoding of accents. */
export function foldedName(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/**
 * Returns a function that returns the earlier path with which a path, or a folder in it, collides; null if
 * there is none.
 */
export function nameCollisions(): (path: string) => string | null {
  const seen = new Map<string, string>();
  /** Folders that came first, as those above them: they stay so. */
  const first = new Set<string>();
  const collision = (path: string): string | null => {
    const end = path.lastIndexOf("/");
    const folder = path.slice(0, Math.max(end, 0));
    if (end >= 0 && !first.has(folder)) {
      const above = collision(folder);
      if (above !== null) return above;
      first.add(folder);
    }
    const folded = foldedName(path);
    const known = seen.get(folded) ?? path;
    seen.set(folded, known);
    return known === path ? null : known;
  };
  return collision;
}
