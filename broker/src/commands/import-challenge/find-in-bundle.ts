import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Reading } from "./draft.ts";

/** A file or folder of a bundle. */
export interface Found {
  path: string;
  isFolder: boolean;
}

const KEY = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Finds a file or folder that the configuration names. Reports one that is missing, a link, or outside of the
 * bundle, and returns null then.
 */
export async function findInBundle(
  { bundle, problem }: Pick<Reading, "bundle" | "problem">,
  field: string,
  given: string,
): Promise<Found | null> {
  const wrong = (reason: string) => {
    problem(`${field}: ${JSON.stringify(given)} ${reason}`);
    return null;
  };
  const parts = given
    .replaceAll("\\", "/")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (/^(?:[/\\]|[A-Za-z]:)/.test(given) || parts.includes("..")) return wrong("leads out of the bundle");
  if (parts.length === 0) return wrong("names no file");
  let found: Found = { path: bundle.dir, isFolder: true };
  for (const part of parts) {
    // Archives made on macOS have names with accents in another form.
    const names = found.isFolder ? await readdir(found.path) : [];
    const same = (name: string) => name.normalize("NFC") === part.normalize("NFC");
    const name = names.includes(part) ? part : names.find(same);
    if (name === undefined)
      return wrong(
        KEY.test(given)
          ? "is the key of a file that the other platform stores; export the bundle with its files"
          : "is not in the bundle",
      );
    const path = join(found.path, name);
    const entry = await lstat(path);
    if (entry.isSymbolicLink()) return wrong("is a link");
    if (!entry.isFile() && !entry.isDirectory()) return wrong("is not a file");
    found = { path, isFolder: entry.isDirectory() };
  }
  return found;
}

export const isArchive = ({ path, isFolder }: Found): boolean =>
  !isFolder && /\.(?:zip|tar|tar\.gz|tgz)$/i.test(path);
