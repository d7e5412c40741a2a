import { CrowdaiError } from "@crowdai/shared";
import type { FilePath } from "./undecoded-path.ts";

/** Returns the CrowdaiError for a system error about a file; any other error as it is. */
export function fileError(file: FilePath, error: unknown): unknown {
  const path = String(file);
  if (error instanceof CrowdaiError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) return error;
  const options = { cause: error, details: { path, reason: code } };
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CrowdaiError("file_missing", `${path} does not exist.`, options);
  if (code === "EACCES" || code === "EPERM")
    return new CrowdaiError("file_unreadable", `You do not have permission to read ${path}.`, options);
  return new CrowdaiError("file_unreadable", `${path} cannot be read: ${message}.`, options);
}
