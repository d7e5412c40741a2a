/** A path as git prints it, with one character per byte, so that names in any encoding survive. */
export type BytePath = string;

/** Returns the path for people and JSON: UTF-8 as text, any other byte as `\x80`. */
export function shownPath(path: BytePath): string {
  if (isAscii(path)) return path;
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  if (!text.includes("\ufffd") || Buffer.from(text).equals(bytes)) return text;
  return path.replace(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is one byte a character in every encoding
export const isAscii = (path: BytePath): boolean => /^[\x00-\x7f]*$/.test(path);

/** Returns all folders of the paths, "" first, without a slash at the end. */
export function foldersOf(paths: Iterable<BytePath>): Set<BytePath> {
  const folders = new Set<BytePath>([""]);
  let last: BytePath | undefined;
  for (const path of paths) {
    const end = path.lastIndexOf("/");
    // Paths mostly come sorted, folder by folder.
    if (end < 0 || (end === last?.length && path.startsWith(last))) continue;
    last = path.slice(0, end);
    for (
      let folder = last;
      !folders.has(folder);
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))
    )
      folders.add(folder);
  }
  return folders;
}

/**
 * Returns the path below `root` for the file system. Plain ASCII names are passed as text, which is faster.
 */
export function onDisk(root: string, path: BytePath): string | Buffer {
  if (isAscii(path)) return `${root}/${path}`;
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}
