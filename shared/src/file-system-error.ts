import { CrowdaiError } from "./protocol/errors.ts";

/** The system's reasons why a program cannot use a file or folder. */
const REASONS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be too large",
  EIO: "input/output error",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "something else has that name",
  ENOENT: "no such file or folder",
  ELOOP: "too many links",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
};

/**
 * Returns data_unusable for an error of the file system, with the path and the reason; null for any other
 * error.
 */
export function fileSystemError(thrown: unknown): CrowdaiError | null {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code, path: from, syscall, dest } = error as NodeJS.ErrnoException & { dest?: string };
    // A file in the way of one that is moved is at its new path.
    const path = code === "EISDIR" || code === "EEXIST" ? (dest ?? from) : from;
    const reason = code === undefined || path === undefined ? undefined : REASONS[code];
    if (reason !== undefined)
      return new CrowdaiError("data_unusable", `${path} cannot be used: ${reason} (${syscall}: ${code}).`, {
        details: { path, code },
        cause: thrown,
      });
  }
  return null;
}
