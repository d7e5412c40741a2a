import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CrowdaiError } from "@crowdai/shared";

/**
 * Writes a file that only the user can read (0600; folders it has to make are 0700), at once: nobody sees half of
 * it. Throws file_unwritable.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(path, text, 0o600);
  });
}

/** Puts a whole file in the place of what was there, or leaves that as it is. */
export async function replaceFile(path: string, text: string, mode = 0o666): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Does some writing; what the file system refuses becomes file_unwritable, naming `path`. */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof CrowdaiError || !code || !syscall || !FILE_CALLS.has(syscall)) throw error;
    throw new CrowdaiError("file_unwritable", `${path} cannot be written (${code}).`, {
      details: { path, reason: code },
      cause: error,
    });
  }
}

const FILE_CALLS = new Set([
  "open",
  "mkdir",
  "rename",
  "write",
  "fsync",
  "close",
  "link",
  "unlink",
  "chmod",
  "rm",
]);
