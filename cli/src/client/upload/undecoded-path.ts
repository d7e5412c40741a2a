import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** A path: text, or bytes that are not UTF-8. */
export type FilePath = string | Buffer;

/** The character that runtimes put into an argument for each byte sequence that is not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Returns the file that an argument names with bytes that are not UTF-8, such as `caf\\xe9.csv`, which the
 * runtime has replaced. Null if no file has such a name, or several do.
 */
export async function findUndecodedPath(argument: string): Promise<Buffer | null> {
  if (!argument.includes(REPLACEMENT)) return null;
  const names: string[] = [];
  let top = resolve(argument);
  for (; top.includes(REPLACEMENT); top = dirname(top))
    names.unshift(top.slice(dirname(top).length).replace(/^[/\\]/, ""));
  let path = Buffer.from(join(top, "/"));
  for (const [index, name] of names.entries()) {
    const entries = await readdir(path, { encoding: "buffer" }).catch(() => []);
    const found = entries.map((entry) => Buffer.from(entry)).filter((entry) => entry.toString() === name);
    if (found.length !== 1) return null;
    path = Buffer.concat([path, found[0] as Buffer, Buffer.from(index < names.length - 1 ? "/" : "")]);
  }
  return path;
}

/**
 * Returns the file name of a path; bytes that are not UTF-8 are read as Windows-1252, as older programs wrote
 * them.
 */
export function nameOf(path: Buffer): string {
  return new TextDecoder("windows-1252").decode(path.subarray(path.lastIndexOf("/") + 1));
}
