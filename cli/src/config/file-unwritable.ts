import { CrowdaiError } from "@crowdai/shared";

/** Runs `work`, which writes `path`, and turns file system errors into file_unwritable. */
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
  "mkdtemp",
  "rename",
  "copyfile",
  "write",
  "fsync",
  "close",
  "link",
  "unlink",
  "chmod",
  "rm",
]);
