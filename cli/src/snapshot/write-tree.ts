import { setImmediate } from "node:timers/promises";
import type { BytePath } from "../git/byte-path.ts";
import { onDisk, shownPath } from "../git/byte-path.ts";
import { openTreeWriter } from "../git/tree-writer.ts";
import type { LeftOut } from "./files/left-out.ts";
import { readEntry } from "./files/read-file.ts";
import type { FileStat } from "./files/stat-files.ts";
import { type Caps, checkCaps } from "./filters/caps.ts";
import { checkContent, type SecretFinding, secretsFound } from "./filters/check-content.ts";
import type { Store } from "./store/snapshot-store.ts";
import { fingerprintOf, isRacy, type StatCache } from "./store/stat-cache.ts";

/** Bytes to read before other tasks get to run. */
const YIELD_AFTER_BYTES = 2 * 1024 * 1024;

export interface WriteOptions {
  store: Store;
  folder: string;
  caps: Caps;
  allowSecrets?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

interface Written {
  tree: string;
  files: StatCache["files"];
  findings: SecretFinding[];
  unsteady: string[];
  /** Whether there is nothing that the stat cache does not have. */
  isUnchanged: boolean;
}

/** Writes the changes since the last snapshot on top of its tree. Throws code_secrets and code_too_large. */
export async function writeTree(
  { store, folder, caps, allowSecrets, signal }: WriteOptions,
  found: readonly FileStat[],
  cached: StatCache | null,
  leftOut: LeftOut[],
): Promise<Written> {
  const before: StatCache["files"] = cached?.files ?? new Map();
  if (
    cached &&
    found.length === before.size &&
    found.every(({ path, fingerprint }) => before.get(path)?.fingerprint === fingerprint)
  )
    return { tree: cached.tree, files: before, findings: [], unsteady: [], isUnchanged: true };

  const changed = found.filter(({ path, fingerprint }) => before.get(path)?.fingerprint !== fingerprint);
  const present = new Set(found.map(({ path }) => path));
  const gone = [...before.keys()].filter((path) => !present.has(path));
  const files: StatCache["files"] = new Map(
    found.map(({ path, fingerprint, size }) => [path, { fingerprint, size }]),
  );
  const writer = openTreeWriter(store.git, cached?.tree ?? null);
  const findings: SecretFinding[] = [];
  const unsteady: string[] = [];
  try {
    for (const path of gone) writer.remove(path);
    const drop = (path: BytePath, reason: string) => {
      leftOut.push({ path, reason });
      if (before.has(path)) writer.remove(path);
      files.delete(path);
    };
    let sinceYield = 0;
    for (const file of changed) {
      const { path, mode } = file;
      const readAt = BigInt(Date.now()) * 1_000_000n;
      const read = readEntry(onDisk(folder, path), mode === "120000", caps.maxBytes);
      if (read === "missing" || read === "unreadable") {
        drop(path, read === "missing" ? "it was removed before it could be read" : "it cannot be read");
        continue;
      }
      const checked = await checkContent(path, mode, read);
      if (checked.refused) {
        drop(path, checked.refused);
        continue;
      }
      findings.push(...checked.findings);
      if (read.unsteady)
        unsteady.push(
          `${shownPath(path)} changed every time it was read; the snapshot has one of its versions.`,
        );
      const size = read.bytes.length;
      // A file that must be read again next time has no fingerprint.
      const isSure = !read.unsteady && checked.findings.length === 0 && !isRacy(read.stats, readAt);
      files.set(path, { fingerprint: isSure ? fingerprintOf(read.stats) : "", size });
      writer.put(path, mode, read.bytes);
      await writer.drained();
      sinceYield += size + 4096;
      if (sinceYield > YIELD_AFTER_BYTES) {
        await setImmediate();
        signal?.throwIfAborted();
        sinceYield = 0;
      }
    }
    if (findings.length > 0 && !allowSecrets) throw secretsFound(findings);
    // Files may have grown since they were listed.
    checkCaps(
      [...files].map(([path, { size }]) => ({ path, size })),
      caps,
    );
    return { tree: await writer.finish(), files, findings, unsteady, isUnchanged: false };
  } catch (failure) {
    writer.abort();
    throw failure;
  }
}
