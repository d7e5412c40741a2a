import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, type Job } from "@crowdai/shared";
import { BUNDLE_VERSION, unpackBundle } from "@crowdai/shared/bundles";
import { type ChallengeFolder, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { Logger } from "../base/log.ts";
import { makeReadable } from "../base/make-readable.ts";
import { verifiedBytes } from "../base/verified-bytes.ts";

/**
 * Idle versions of one challenge that stay unpacked: the newest, and the previous one, whose jobs may still
 * arrive.
 */
const MAX_IDLE_VERSIONS = 2;

/** An unpacked bundle, which stays on disk until it is disposed. */
export interface HeldFolder extends Disposable {
  folder: ChallengeFolder;
}

export interface BundleCache {
  /** Returns the folder of exactly the job's version. Simultaneous calls fetch, verify and unpack it once. */
  hold(job: Pick<Job, "challenge" | "version" | "bundle">, signal: AbortSignal): Promise<HeldFolder>;
  /** Aborts downloads and removes the unpacked bundles. */
  close(): Promise<void>;
}

interface Entry {
  challenge: string;
  dir: string;
  folder: Promise<ChallengeFolder>;
  holders: number;
  /** Serial number of the latest use. */
  used: number;
}

/** Unpacks bundles below `dir`, which only this cache uses. */
export function createBundleCache(options: { objects: ObjectStore; dir: string; log: Logger }): BundleCache {
  const { objects, dir, log } = options;
  const entries = new Map<string, Entry>();
  const closing = new AbortController();
  let uses = 0;

  function entryOf({ challenge, version, bundle }: Parameters<BundleCache["hold"]>[0]): Entry {
    if (version === null || !BUNDLE_VERSION.test(version) || !bundle || !/^[\w][\w.-]*$/.test(challenge))
      throw new CrowdaiError("challenge_unknown", "The job does not name a valid bundle.");
    const name = `${challenge}-${version}`;
    const known = entries.get(name);
    if (known) return known;
    const path = join(dir, name);
    const folder = fetchBundle(bundle, path).then((found) => {
      if (found.config.id !== challenge)
        throw new CrowdaiError("config_invalid", `The bundle ${bundle.key} contains another challenge.`);
      log.info({ event: "bundle_unpacked", challenge, version, size: bundle.size }, "bundle unpacked");
      return { ...found, version };
    });
    const entry: Entry = { challenge, dir: path, folder, holders: 0, used: 0 };
    entries.set(name, entry);
    // The next job retries.
    folder.catch(() => entries.delete(name));
    return entry;
  }

  async function fetchBundle(bundle: NonNullable<Job["bundle"]>, path: string): Promise<ChallengeFolder> {
    const arriving = join(dir, `.arriving-${randomUUID()}`);
    await mkdir(arriving, { recursive: true, mode: 0o700 });
    try {
      await unpackBundle(verifiedBytes(bundle, objects, closing.signal), arriving);
      // In a box, the evaluator has a user of its own. Other users cannot reach the folder.
      makeReadable(arriving);
      await rm(path, { recursive: true, force: true });
      // Atomic: a folder under its final name is a complete, verified bundle.
      await rename(arriving, path);
    } finally {
      await rm(arriving, { recursive: true, force: true });
    }
    return await loadChallengeFolder(path);
  }

  function trim(challenge: string): void {
    const idle = [...entries].filter(([, entry]) => entry.challenge === challenge);
    idle.sort(([, a], [, b]) => b.used - a.used);
    for (const [name, entry] of idle.slice(MAX_IDLE_VERSIONS)) {
      if (entry.holders > 0) continue;
      entries.delete(name);
      rm(entry.dir, { recursive: true, force: true, maxRetries: 3 }).catch((err) =>
        log.warn({ event: "bundle_removal_failed", dir: entry.dir, err }, "bundle removal failed"),
      );
    }
  }

  return {
    async hold(job, signal) {
      const entry = entryOf(job);
      entry.holders++;
      entry.used = ++uses;
      const release = () => {
        entry.holders--;
        trim(entry.challenge);
      };
      try {
        const folder = await unlessAborted(entry.folder, signal);
        return { folder, [Symbol.dispose]: release };
      } catch (error) {
        release();
        throw error;
      }
    },
    async close() {
      closing.abort(new CrowdaiError("interrupted", "The grader is stopping."));
      await Promise.allSettled([...entries.values()].map(({ folder }) => folder));
      entries.clear();
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Resolves as the promise does, or rejects with the signal's reason as soon as it is aborted. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
