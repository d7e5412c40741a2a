import { objectName } from "../repositories/final-commit.ts";

// LICENSE in either spelling, COPYING, UNLICENSE, LICENSES/ …
const LICENSE_FILE = /^(?:un)?licen[cs]es?(?:[.-].*)?$|^copying(?:[.-].*)?$/i;
const ADDED = "LICENSE";

/**
 * Adds the license to the root tree. Returns null for a tree that has a license file of its own. Names are
 * sorted as git sorts them, so that equal trees have equal names.
 */
export function licenseInTree(tree: Buffer, license: string): { tree: Buffer; blob: string } | null {
  const entries = readTree(tree);
  if (entries.some(({ name }) => LICENSE_FILE.test(name))) return null;
  const blob = objectName("blob", license);
  const added = Buffer.concat([Buffer.from(`100644 ${ADDED}\0`), Buffer.from(blob, "hex")]);
  const after =
    entries.find(({ order }) => Buffer.compare(order, Buffer.from(ADDED)) > 0)?.start ?? tree.length;
  return { tree: Buffer.concat([tree.subarray(0, after), added, tree.subarray(after)]), blob };
}

/** Reads the entries of a tree: each one's name, start, and the bytes by which it is sorted. */
function readTree(tree: Buffer): { name: string; start: number; order: Buffer }[] {
  const entries = [];
  for (let at = 0; at < tree.length; ) {
    const space = tree.indexOf(0x20, at);
    const end = tree.indexOf(0, space);
    const isFolder = tree.toString("latin1", at, space) === "40000";
    const name = tree.subarray(space + 1, end);
    entries.push({
      name: name.toString("utf8"),
      start: at,
      order: isFolder ? Buffer.concat([name, Buffer.from("/")]) : name,
    });
    at = end + 21;
  }
  return entries;
}
