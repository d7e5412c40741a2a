import { extname } from "node:path";
import type { Draft, Reading } from "./draft.ts";
import { findInBundle } from "./find-in-bundle.ts";

/** Adds the picture of a challenge to its public files. */
export async function addPicture(reading: Reading, field: string, path: string, draft: Draft): Promise<void> {
  const found = await findInBundle(reading, field, path);
  if (!found) return;
  const extension = extname(found.path).toLowerCase();
  if (found.isFolder || ![".png", ".jpg", ".jpeg", ".gif", ".webp"].includes(extension))
    return reading.leaveOut(`${field}: ${path}`, "pictures are PNG, JPEG, GIF or WebP files");
  draft.files.push({ from: found.path, to: `public/logo${extension}` });
}
