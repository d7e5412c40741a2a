import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writing } from "./file-unwritable.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * Writes a file that only the user can read (0600; new folders are 0700), atomically. Throws file_unwritable.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, text, 0o600);
  });
}
