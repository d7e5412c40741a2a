/** Characters that some file systems leave out of a name, so that `.g\u200cit` is `.git` there. */
const INVISIBLE = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/**
 * Whether git refuses to keep a path of this name, or would take a file in it for its own: `.git` in any spelling that a file system
 * takes for it.
 */
export function isGitsOwn(path: string): boolean {
  if (!/git/i.test(path) && !/[^\x20-\x7e]/.test(path)) return false;
  return Buffer.from(path, "latin1")
    .toString("utf8")
    .split(/[/\\]/)
    .some((part) => /^(\.git|git~1)[ .]*(:.*)?$/i.test(part.replace(INVISIBLE, "")));
}

/** The longest line of a .gitattributes file that git's checks let pass. */
const ATTRIBUTES_LINE = 2048;

/** Why git's checks on the other side would refuse this file; null when they would not. */
export function refusedByGit(path: string, text: string | null): string | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  if (name === ".gitattributes" && text?.split("\n").some((line) => line.length >= ATTRIBUTES_LINE))
    return "a line of it is longer than git takes";
  return null;
}
