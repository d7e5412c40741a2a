import { CrowdaiError } from "@crowdai/shared";

/** Names what the system said of a file. */
export function fileError(path: string, error: unknown): unknown {
  if (error instanceof CrowdaiError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) return error;
  const options = { cause: error, details: { path, reason: code } };
  if (code === "ENOENT" || code === "ENOTDIR")
    return new CrowdaiError("file_missing", `There is no file ${path}.`, options);
  if (code === "EACCES" || code === "EPERM")
    return new CrowdaiError("file_unreadable", `${path} may not be read by you.`, options);
  return new CrowdaiError("file_unreadable", `${path} cannot be read: ${message}.`, options);
}
