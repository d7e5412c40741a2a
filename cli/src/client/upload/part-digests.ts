import { Worker } from "node:worker_threads";
import { partCount } from "@crowdai/shared";
import { abortable, throwIfAborted } from "../../async/abort.ts";
import { md5OfParts, type PartedFile, type Share } from "./md5-of-parts.ts";

/** Up to here a thread would take longer to start than it saves. */
const MAX_SINGLE_THREAD_BYTES = 64 * 1024 * 1024;
const THREADS = 2;

/** The MD5 of each part of a file. Of a large one in threads of its own, for hashing would keep this one from all else. */
export async function digestParts(file: PartedFile, signal?: AbortSignal): Promise<string[]> {
  if (file.size <= MAX_SINGLE_THREAD_BYTES) return md5OfParts(file, { first: 0, step: 1 });
  const shares = await Promise.all(
    Array.from({ length: THREADS }, (_, first) => inThread(file, { first, step: THREADS }, signal)),
  ).catch(() => null);
  throwIfAborted(signal);
  // No threads here, or the program was bundled without this one: it takes longer, and finds what is wrong with the file.
  if (!shares) return md5OfParts(file, { first: 0, step: 1 });
  const count = partCount(file.size, file.partSize);
  return Array.from({ length: count }, (_, i) => shares[i % THREADS]![Math.floor(i / THREADS)]!);
}

function inThread(file: PartedFile, share: Share, signal?: AbortSignal): Promise<string[]> {
  return abortable((resolve, dispose, reject) => {
    const worker = new Worker(workerUrl(), { workerData: { file, share } });
    dispose(() => void worker.terminate());
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a hashing thread ended early")));
  }, signal);
}

/** Beside this file; in the built package all files are in one folder. */
function workerUrl(): URL {
  const here = import.meta.url;
  return new URL(here.endsWith(".ts") ? "./part-digests.worker.ts" : "./part-digests.worker.js", here);
}
