import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { extname, isAbsolute, join, normalize, relative } from "node:path";
import type { Job, StoredFile } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { mediaTypeOf } from "@crowdai/shared/media-types";
import type { ObjectStore } from "@crowdai/shared/objects";
import { sanitizeText } from "../base/sanitize-text.ts";
import { type EvaluatorFailure, evaluatorFailure } from "../evaluators/protocol/evaluator-failure.ts";
import type { ResultEvent } from "../evaluators/protocol/events.ts";

/** The largest file that a result may name, in bytes. */
export const MAX_RESULT_FILE_BYTES = 1024 ** 3;

export interface StoredResultFiles {
  media: StoredFile | null;
  /** Why the media file was dropped, for the participant; null when it was stored, or when there is none. */
  media_dropped: string | null;
  artifacts: StoredFile[];
  /** The notice for the organizer's log, with the path. */
  notice: string | null;
}

/**
 * Stores the files that a result names, relative to `outputDir`, under keys chosen here. Only regular files
 * inside the folder are accepted. An artifact that is a link, device, pipe or folder, or is outside, is an
 * evaluator failure. A media file like that is dropped, because it does not affect the grade.
 */
export async function storeResultFiles(
  result: ResultEvent,
  outputDir: string,
  job: Job,
  objects: ObjectStore,
  signal: AbortSignal,
): Promise<StoredResultFiles | EvaluatorFailure> {
  const prefix = newPrefix(job);
  const collected: StoredResultFiles = { media: null, media_dropped: null, artifacts: [], notice: null };
  // Artifacts first, because an invalid one fails the result.
  for (const [i, file] of (result.artifacts ?? []).entries()) {
    const stored = await store(file, `${prefix}/artifact-${i + 1}`);
    if ("reason" in stored) return refused(file.path, stored.reason);
    collected.artifacts.push(stored);
  }
  if (result.media) {
    const stored = await store(result.media, `${prefix}/media`);
    if ("reason" in stored) {
      collected.media_dropped = `The evaluator's media file was dropped: ${stored.reason}.`;
      collected.notice = refusal(result.media.path, stored.reason);
    } else collected.media = stored;
  }
  return collected;

  async function store(
    { path, name }: { path: string; name?: string | null | undefined },
    key: string,
  ): Promise<StoredFile | { reason: string }> {
    signal.throwIfAborted();
    const opened = await openInside(outputDir, path);
    if ("reason" in opened) return opened;
    await using file = opened.handle;
    const extension =
      extname(path)
        .toLowerCase()
        .match(/^\.[a-z0-9]{1,10}$/)?.[0] ?? "";
    const tooLarge = new FileTooLarge();
    try {
      const { size, sha256 } = await markedStep("upload.result-file", () =>
        objects.put(`${key}${extension}`, upTo(MAX_RESULT_FILE_BYTES, file, tooLarge), {
          type: typeOf(extension),
        }),
      );
      return {
        key: `${key}${extension}`,
        name: sanitizeText(name ?? path.split("/").at(-1)!, 255),
        size,
        sha256,
        type: typeOf(extension),
      };
    } catch (error) {
      if (error === tooLarge) return { reason: `it is larger than ${MAX_RESULT_FILE_BYTES} bytes` };
      throw error;
    }
  }
}

/** Stores the bytes of a file of the grader under a key chosen here. */
export async function storeFile(
  source: AsyncIterable<Uint8Array>,
  { job, objects, signal }: { job: Job; objects: ObjectStore; signal: AbortSignal },
  { name, type }: { name: string; type: string },
): Promise<StoredFile> {
  signal.throwIfAborted();
  const key = `${newPrefix(job)}/${name}`;
  const { size, sha256 } = await markedStep("upload.stored-file", () => objects.put(key, source, { type }));
  return { key, name, size, sha256, type };
}

/** Another delivery of the same attempt may have stored other bytes, and objects are never overwritten. */
const newPrefix = ({ challenge, submission, attempt }: Job) =>
  `submissions/${challenge}/${submission}/${attempt}/${randomBytes(6).toString("hex")}`;

async function openInside(
  outputDir: string,
  path: string,
): Promise<{ handle: FileHandle } | { reason: string }> {
  const inside = normalize(isAbsolute(path) ? relative(outputDir, path) : path);
  if (inside === ".." || inside.startsWith("../") || inside.includes("\0"))
    return { reason: "it is outside output_dir" };
  let handle: FileHandle;
  try {
    const full = join(await realpath(outputDir), inside);
    if ((await realpath(full)) !== full) return { reason: "it is a symbolic link, or inside one" };
    // Without O_NONBLOCK opening a pipe would wait for a writer.
    handle = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return { reason: `it cannot be opened (${(error as NodeJS.ErrnoException).code})` };
  }
  const found = await handle.stat();
  const reason = !found.isFile()
    ? "it is not a regular file"
    : found.nlink > 1
      ? "it is a hard link to another file"
      : found.size > MAX_RESULT_FILE_BYTES
        ? `it is larger than ${MAX_RESULT_FILE_BYTES} bytes`
        : null;
  if (reason === null) return { handle };
  await handle.close();
  return { reason };
}

const refusal = (path: string, reason: string) =>
  `the result names the file ${JSON.stringify(path)}, but ${reason}`;

function refused(path: string, reason: string): EvaluatorFailure {
  return evaluatorFailure("evaluator_output", refusal(path, reason), "an invalid result file");
}

class FileTooLarge extends Error {}

/** Yields the file's bytes. Throws when it has grown past the limit since it was opened. */
async function* upTo(limit: number, file: FileHandle, tooLarge: FileTooLarge): AsyncGenerator<Uint8Array> {
  let size = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(256 * 1024);
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    if (bytesRead === 0) return;
    size += bytesRead;
    if (size > limit) throw tooLarge;
    yield chunk.subarray(0, bytesRead);
  }
}

function typeOf(extension: string): string {
  return mediaTypeOf(extension.slice(1)) ?? "application/octet-stream";
}
