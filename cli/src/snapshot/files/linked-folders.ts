import { type BytePath, onDisk } from "../../git/byte-path.ts";
import { lstatEntry } from "./read-file.ts";

/**
 * Returns a function that tells whether a folder of a path is a symbolic link. As for git, nothing exists
 * beyond a link: files there are those of another place.
 */
export function linkedFolders(root: string): (path: BytePath) => boolean {
  const known = new Map<string, boolean>([["", false]]);
  const above = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const isLinked = (folder: string): boolean => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const stats = lstatEntry(onDisk(root, folder));
    const linked = isLinked(above(folder)) || (typeof stats === "object" && stats.isSymbolicLink());
    known.set(folder, linked);
    return linked;
  };
  return (path) => isLinked(above(path));
}
