import { closeSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes the files that this process inherited beyond the standard streams, and that its children would
 * inherit: files of the parent that no evaluator may read. Node.js opens its own files with close-on-exec,
 * and Bun passes none on. Exempt are certificates: OpenSSL opens them without, in a thread of Node.js that
 * would then read a file that is not theirs.
 */
export function closeInheritedFiles(): void {
  if (process.platform !== "linux" || process.versions.bun) return;
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      if (isCertificate(readlinkSync(`/proc/self/fd/${fd}`))) continue;
      const flags = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").match(/^flags:\s+([0-7]+)/m)?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
    } catch {
      // The listing's own descriptor.
    }
  }
}

/** Whether a path is that of certificates that everybody may read, and that Node.js may be loading. */
function isCertificate(path: string): boolean {
  const { NODE_EXTRA_CA_CERTS, SSL_CERT_FILE } = process.env;
  if (path.startsWith("/etc/ssl/certs/")) return true;
  return [NODE_EXTRA_CA_CERTS, SSL_CERT_FILE].some((named) => {
    try {
      return named !== undefined && realpathSync(named) === path;
    } catch {
      return false;
    }
  });
}
