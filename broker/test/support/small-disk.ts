import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MOUNT = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2" && shift 2 && exec "$@"';

/** Returns whether this machine lets tests mount a small disk. Prints when it does not. */
export function cannotMount(): boolean {
  const { status } = spawnSync("unshare", ["-m", "sh", "-c", MOUNT, "sh", "1m", "/mnt", "true"]);
  if (status === 0) return false;
  process.stderr.write(
    "SKIPPED (this machine does not let tests mount a small disk: unshare -m, mount -t tmpfs)\n",
  );
  return true;
}

/**
 * Returns the command that runs a program with a disk of this size at `folder`, which only the program sees.
 */
export function withSmallDisk(
  { folder, size }: { folder: string; size: string },
  command: readonly string[],
): [string, ...string[]] {
  return ["unshare", "-m", "sh", "-c", MOUNT, "sh", size, folder, ...command];
}

/** Returns where the folder of a process with a disk of its own is seen from here. */
export const seenFrom = (pid: number, folder: string): string => `/proc/${pid}/root${folder}`;

/** Fills a disk to its last byte. Returns a function that frees it again. */
export async function fillDisk(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, "filler");
  for (const size of [1024 * 1024, 64 * 1024, 4096, 1]) while (await append(file, size));
  return () => rm(file);
}

async function append(file: string, size: number): Promise<boolean> {
  return writeFile(file, Buffer.alloc(size), { flag: "a" }).then(
    () => true,
    (error) => {
      if (error.code === "ENOSPC") return false;
      throw error;
    },
  );
}
