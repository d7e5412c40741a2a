import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, storedFileSchema } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { MEDIA_TYPES } from "@crowdai/shared/media-types";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import { keyPrefixes, type MediaColumns, mediaKey, NO_MEDIA } from "../../domain/media/media-keys.ts";
import { endMediaWork, postponeMediaWork, replacedBy, takeMediaWork } from "../../domain/media/media-work.ts";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { MediaWorkRow } from "../../records/tables.ts";
import { bytesOf, makeMedia } from "./make-media.ts";
import { type DroppedMedia, droppedMedia, type MadeMedia } from "./media-result.ts";
import type { MediaPrograms } from "./media-tools.ts";

/** A broker extends its lease on media work this often; the lease of a broker that died expires. */
const LEASE_MS = 60_000;
const EXTEND_MS = 20_000;
const MAX_TRIES = 3;
const RETRY_MS = 10_000;
/** A long video does not delay the next image. */
const CONCURRENCY = 2;

export interface MediaMaker {
  /** Looks for work. Returns at once; calling it again while it works is cheap. */
  soon(): void;
  /** Aborts running work, which starts again at the next start. */
  stop(): Promise<void>;
}

/**
 * Makes the media of graded submissions ready to be shown. This happens after grading, so media can neither
 * fail nor delay a grade. Work that was cut off is repeated, and its leftovers are removed.
 */
export async function createMediaMaker(options: {
  records: Records;
  objects: ObjectStore;
  programs: MediaPrograms;
  /** This broker's own folder; leftovers of an earlier run are removed. */
  folder: string;
  clock: Clock;
  log: Logger;
}): Promise<MediaMaker> {
  const { records, objects, programs, folder, clock, log } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // With SQLite no other broker runs, so every lease is a leftover.
  if (records.dialect === "sqlite")
    await records.db.updateTable("media_work").set({ due_at: clock().toISOString() }).execute();
  const stopping = new AbortController();
  const { signal } = stopping;
  const workers = new Set<Promise<void>>();

  async function workOff(): Promise<void> {
    while (!signal.aborted) {
      const work = await takeMediaWork(records.db, clock(), LEASE_MS);
      if (!work) return;
      const extending = setInterval(() => {
        postponeMediaWork(records.db, work, later(LEASE_MS)).catch(() => {});
      }, EXTEND_MS);
      try {
        await handle(work);
      } catch (error) {
        await retryLater(work, error);
      } finally {
        clearInterval(extending);
      }
    }
  }

  async function handle(work: MediaWorkRow): Promise<void> {
    if (work.tries > 1) await removeLeftovers(objects, work.name);
    const media = await makeAndStore(work);
    const { reason, detail, ...columns } = media;
    const isShown = await commit(records, "media-maker", (trx) =>
      endMediaWork(trx, work, { ...columns, media_dropped: reason }),
    );
    if (!isShown) return removeLeftovers(objects, work.name);
    if (reason !== null)
      log.warn(
        { event: "media_dropped", submission: work.submission, reason, detail },
        "evaluator media dropped",
      );
    for (const key of replacedBy(work)) await objects.remove(key).catch(() => {});
  }

  async function makeAndStore(
    work: MediaWorkRow,
  ): Promise<MediaColumns & { reason: string | null; detail: string }> {
    if (work.source === null) return { ...NO_MEDIA, reason: null, detail: "" };
    if (work.tries > MAX_TRIES) return notShown(droppedMedia("The broker could not process it."));
    const source = storedFileSchema.parse(JSON.parse(work.source));
    const workFolder = await mkdtemp(join(folder, "work-"));
    try {
      const made = await makeMedia({ ...programs, folder: workFolder }, objects, source, signal);
      return made.ok
        ? { ...(await store(objects, made, work.name)), reason: null, detail: "" }
        : notShown(made);
    } finally {
      await rm(workFolder, { recursive: true, force: true });
    }
  }

  async function retryLater(work: MediaWorkRow, error: unknown): Promise<void> {
    // The broker stops, which says nothing about the media: any broker may start it at once.
    if (signal.aborted) return postponeMediaWork(records.db, work, clock(), work.tries - 1).catch(() => {});
    const isStoreUnreachable = error instanceof CrowdaiError && error.code === "store_unreachable";
    log.warn(
      { event: "media_processing_failed", submission: work.submission, err: error },
      "media processing failed, retrying later",
    );
    // A failure of the store does not count against the media.
    const tries = isStoreUnreachable ? work.tries - 1 : work.tries;
    await postponeMediaWork(records.db, work, later(RETRY_MS * work.tries), tries).catch(() => {});
  }

  const later = (ms: number) => new Date(clock().getTime() + ms);

  return {
    soon() {
      if (signal.aborted || workers.size >= CONCURRENCY) return;
      const running = workOff()
        .catch((error) => log.error({ event: "media_work_failed", err: error }, "media work failed"))
        .finally(() => workers.delete(running));
      workers.add(running);
    },
    async stop() {
      stopping.abort();
      await Promise.all(workers);
    },
  };
}

const notShown = ({ reason, detail }: DroppedMedia) => ({ ...NO_MEDIA, reason, detail });

async function store(objects: ObjectStore, made: MadeMedia, name: string): Promise<MediaColumns> {
  const put = async (key: string, path: string, type: string) => {
    await markedStep("upload.media", () => objects.put(key, bytesOf(path), { type }));
    return key;
  };
  const { kind, extension, type } = made;
  return {
    media_large: await put(mediaKey(kind, "large", name, extension), made.large, type),
    media_thumbnail: await put(mediaKey(kind, "thumb", name, "webp"), made.thumbnail, "image/webp"),
    media_preview: made.preview
      ? await put(mediaKey(kind, "preview", name, "mp4"), made.preview, MEDIA_TYPES.mp4)
      : null,
    media_content_type: type,
  };
}

/** Removes what an attempt that was cut off has stored. */
async function removeLeftovers(objects: ObjectStore, name: string): Promise<void> {
  for (const prefix of keyPrefixes(name))
    for await (const key of objects.list(prefix)) await objects.remove(key);
}
