import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ObjectStore } from "@crowdai/shared/objects";

/** The bytes that a probe writes, and the descriptors that it opens: about as many as a small job needs. */
const BYTES = 1024 * 1024;
const DESCRIPTORS = 16;
const SPAWN_MS = 10_000;

/**
 * Does what every job has to do: writes a file in `dir`, opens descriptors, starts a process, and asks the
 * object store. Throws the first error.
 */
export async function probeMachine(
  dir: string,
  path: string,
  objects: Pick<ObjectStore, "stat">,
): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `probe-${randomUUID()}`);
  const handles: FileHandle[] = [];
  try {
    handles.push(await open(file, "wx", 0o600));
    await handles[0]!.writeFile(Buffer.alloc(BYTES));
    await handles[0]!.sync();
    while (handles.length < DESCRIPTORS) handles.push(await open(file, "r"));
  } finally {
    for (const handle of handles) await handle.close().catch(() => {});
    await rm(file, { force: true });
  }
  await promisify(execFile)("/bin/sh", ["-c", ":"], { env: { PATH: path }, timeout: SPAWN_MS });
  await objects.stat("probe");
}
