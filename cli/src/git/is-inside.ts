import { isAbsolute, relative } from "node:path";

/** Returns whether a path is the folder itself or inside it. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !/^\.\.[\\/]/.test(way));
}
