import { dirname } from "node:path";
import { makeFolder } from "@crowdai/shared/make-folder";
import { writing } from "./file-unwritable.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * Writes a file that only the user can read (0600; new folders are 0700), atomically. Throws file_unwritable.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await writing(path, async () => {
    makeFolder(dirname(path), 0o700);
    await replaceFile(path, text, 0o600);
  });
}
