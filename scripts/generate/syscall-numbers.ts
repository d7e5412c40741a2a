// Writes grader/src/box/bubblewrap/syscall-numbers.json: the numbers of the allowed system calls, from the
// kernel's headers (Debian package linux-libc-dev); with --check, says whether it is up to date.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../lib/root.ts";

const folder = join(root, "grader/src/box/bubblewrap");
const file = join(folder, "syscall-numbers.json");
/** Allowed for some arguments only, by grader/src/box/bubblewrap/seccomp.ts. */
const WITH_RULES = ["clone", "ioctl", "socket"];
const HEADERS = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
};

/** Returns the numbers of some system calls on an architecture. Those that it does not have are left out. */
export function syscallNumbers(header: string, names: readonly string[]): Record<string, number> {
  const numbers = new Map<string, number>();
  // The generic header names calls that differ between 32 and 64 bits __NR3264_…
  for (const [, name, number] of header.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm))
    numbers.set(name!, Number(number));
  return Object.fromEntries(
    [...names].sort().flatMap((name) => (numbers.has(name) ? [[name, numbers.get(name)!]] : [])),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const allowed = JSON.parse(readFileSync(join(folder, "allowed-syscalls.json"), "utf8")) as string[];
  const check = process.argv.includes("--check");
  const missing = Object.values(HEADERS).filter((header) => !existsSync(header));
  if (missing.length > 0) console.log(`skipped: ${missing.join(" and ")} (linux-libc-dev, amd64) not found`);
  else {
    const numbers = Object.fromEntries(
      Object.entries(HEADERS).map(([arch, header]) => [
        arch,
        syscallNumbers(readFileSync(header, "utf8"), [...allowed, ...WITH_RULES]),
      ]),
    );
    const wanted = `${JSON.stringify(numbers, null, 2)}\n`;
    if (!check) writeFileSync(file, wanted);
    else if (readFileSync(file, "utf8") !== wanted) {
      console.error(`${file} is out of date: run node scripts/generate/syscall-numbers.ts`);
      process.exitCode = 1;
    }
  }
}
