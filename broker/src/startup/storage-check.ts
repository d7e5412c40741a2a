import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { machineProblem } from "../base/machine-error.ts";
import type { Needs } from "../domain/submissions/services.ts";

/** The bytes that a check writes: more than the last block of a disk that is almost full. */
const BYTES = 64 * 1024;
/** The descriptors that it opens: about what one request needs. */
const DESCRIPTORS = 16;
/** How long a result is used, so that frequent requests do not write all the time. */
const FRESH_MS = 250;

/** Returns "ok", or what is wrong with a disk, the database or the machine, without paths. */
export type StorageCheck = () => Promise<string>;

/**
 * Creates a check that writes to each folder and to the records, as every submission does, and opens files.
 */
export function createStorageCheck(
  { records, log }: Needs<"records" | "log">,
  folders: readonly { name: string; path: string }[],
): StorageCheck {
  const disks = distinctDisks(folders);
  let checking: Promise<string> | undefined;
  let before = "ok";

  async function check(): Promise<string> {
    const found = (await writeToAll()) ?? "ok";
    if (found !== before && found !== "ok")
      log.error({ event: "storage_failed", problem: found }, `storage check failed: ${found}`);
    if (found !== before && found === "ok")
      log.info({ event: "storage_recovered" }, "storage check succeeded");
    before = found;
    return found;
  }

  async function writeToAll(): Promise<string | null> {
    for (const { name, path } of disks)
      try {
        await writeTo(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return `${describe(name, error)} (${code})`;
      }
    try {
      await records.db
        .updateTable("settings")
        .set((eb) => ({ value: eb.ref("value") }))
        .where("name", "=", "instance")
        .execute();
    } catch (error) {
      return describe("records", error);
    }
    return null;
  }

  return () => {
    if (!checking) {
      checking = check();
      setTimeout(() => {
        checking = undefined;
      }, FRESH_MS).unref();
    }
    return checking;
  };
}

function describe(name: string, error: unknown): string {
  const problem = machineProblem(error);
  if (problem && "shortage" in problem) return problem.shortage.replace(/^The/, "the");
  return `the disk of the ${name} ${problem?.disk ?? "cannot be written"}`;
}

function distinctDisks<F extends { path: string }>(folders: readonly F[]): F[] {
  return [...new Map(folders.toReversed().map((folder) => [statSync(folder.path).dev, folder])).values()];
}

async function writeTo(folder: string): Promise<void> {
  const path = join(folder, `.${randomUUID()}.tmp`);
  const opened: FileHandle[] = [];
  try {
    const file = await open(path, "wx", 0o600);
    opened.push(file);
    await file.writeFile(Buffer.alloc(BYTES));
    await file.sync();
    while (opened.length < DESCRIPTORS) opened.push(await open(path, "r"));
  } finally {
    for (const file of opened) await file.close();
    await rm(path, { force: true });
  }
}
