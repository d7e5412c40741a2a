import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { writing } from "../config/file-unwritable.ts";
import { replaceFile } from "../config/replace-file.ts";
import type { VerifiedEntry } from "./verify-entry.ts";

/**
 * Replaces an accepted entry by a note in `sent`, so that its bytes no longer take space. Throws
 * file_unwritable.
 */
export async function markSent(
  folder: string,
  { name, path, manifest }: VerifiedEntry,
  { id, number, created_at, url }: Submission,
): Promise<void> {
  const { challenge, message, sealed_at } = manifest;
  const note = { crowdai_sent: 1, id, number, challenge, message, sealed_at, created_at, url };
  await writing(folder, async () => {
    await mkdir(join(folder, "sent"), { recursive: true, mode: 0o700 });
    await replaceFile(join(folder, "sent", `${name}.json`), `${JSON.stringify(note, null, 2)}\n`, 0o600);
    await rm(path, { recursive: true, force: true });
  });
}
