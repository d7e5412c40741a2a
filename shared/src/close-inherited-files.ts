import { closeSync, readdirSync, readFileSync } from "node:fs";

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes the files that this process inherited beyond the standard streams, and that its children would inherit: files
 * of the parent that no evaluator may read. Node.js opens its own files with close-on-exec, and Bun passes none on.
 */
export function closeInheritedFiles(): void {
  if (process.platform !== "linux" || process.versions.bun) return;
  for (const name of readdirSync("/proc/self/fd")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const flags = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").match(/^flags:\s+([0-7]+)/m)?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0) closeSync(fd);
    } catch {
      // The listing's own descriptor.
    }
  }
}
