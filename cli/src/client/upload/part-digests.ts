import { partCount } from "@crowdai/shared";
import { abortable, throwIfAborted } from "../../async/abort.ts";
import { md5OfParts, type PartedFile, type Share } from "./md5-of-parts.ts";

/** Up to this size, starting a thread takes longer than it saves. */
const MAX_SINGLE_THREAD_BYTES = 64 * 1024 * 1024;
const THREADS = 2;

/**
 * Returns the MD5 digest of each part. Hashes large files in worker threads, so that the main thread is not
 * blocked.
 */
export async function digestParts(file: PartedFile, signal?: AbortSignal): Promise<string[]> {
  if (file.size <= MAX_SINGLE_THREAD_BYTES) return md5OfParts(file, { first: 0, step: 1 });
  const shares = await Promise.all(
    Array.from({ length: THREADS }, (_, first) => inThread(file, { first, step: THREADS }, signal)),
  ).catch(() => null);
  throwIfAborted(signal);
  // No threads are available, or the worker is missing from a bundle. Hashing here is slower, and reports
  // file errors.
  if (!shares) return md5OfParts(file, { first: 0, step: 1 });
  const count = partCount(file.size, file.partSize);
  return Array.from({ length: count }, (_, i) => shares[i % THREADS]![Math.floor(i / THREADS)]!);
}

function inThread(file: PartedFile, share: Share, signal?: AbortSignal): Promise<string[]> {
  return abortable((resolve, dispose, reject) => {
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const worker = new Worker(workerUrl(), { workerData: { file, share } });
    dispose(() => void worker.terminate());
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a hashing thread exited early")));
  }, signal);
}

/** Returns the URL of the worker, which is in the same folder, also in the built package. */
function workerUrl(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith(".ts") ? "./part-digests.worker.ts" : "./part-digests.worker.js", here);
}
