import { readdir } from "node:fs/promises";
import { fileError } from "../client/upload/file-error.ts";
import { readManifest } from "./verify-entry.ts";

const ENTRY = /^(\d{6,15})-/;

/**
 * Returns the names of the entries in the order in which they are sent: by number, then by the time they were
 * sealed, which decides where two copies of a spool were continued. Names that no entry has come last.
 */
export async function listEntries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error) => {
    throw fileError(folder, error);
  });
  const found = await Promise.all(
    names
      .filter((name) => !name.startsWith(".") && name !== "sent")
      .map(async (name) => ({
        name,
        number: Number(ENTRY.exec(name)?.[1] ?? Number.POSITIVE_INFINITY),
        at: await readManifest(folder, name).then(
          ({ sealed_at }) => Date.parse(sealed_at),
          () => 0,
        ),
      })),
  );
  found.sort((a, b) =>
    a.number !== b.number ? (a.number < b.number ? -1 : 1) : a.at - b.at || (a.name < b.name ? -1 : 1),
  );
  return found.map(({ name }) => name);
}
