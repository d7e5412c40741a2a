import { setTimeout } from "node:timers/promises";
import { isFinal } from "@crowdai/shared";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { areMediaAwaited } from "../../domain/media/media-work.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { PageContext } from "./page-context.ts";

/**
 * Sends at least this often: this keeps the connection open, and updates the queue position, which has no
 * event.
 */
const BEAT_MS = 5000;
const APART_MS = 200;
/** Any broker may make the media after the grade, without an event, so the records are polled. */
const MEDIA_MS = 400;

/**
 * Sends server-sent events to a submission's page: `change` after each change, and `end` once it is graded
 * and its media are ready. The page then fetches what changed. The stream ends when `mayRead` no longer
 * holds, as after a sign-out or when the key is revoked.
 */
export function followSubmission(
  c: Context,
  { context, nextEvent }: Pick<PageContext<Needs<"records">>, "context" | "nextEvent">,
  id: string,
  mayRead: () => Promise<boolean>,
): Response {
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const { db } = context().records;
    while (!stream.aborted) {
      const over = AbortSignal.any([gone.signal, AbortSignal.timeout(BEAT_MS)]);
      // Subscribes before it reads, so that no event is missed.
      const arrived = nextEvent(id, over);
      const row = await db
        .selectFrom("submissions")
        .select(["state", "seq"])
        .where("id", "=", id)
        .executeTakeFirst();
      const isOver = !row || isFinal(row.state);
      const last = isOver && !(await areMediaAwaited(db, id));
      await stream.writeSSE({ event: last ? "end" : "change", data: String(row?.seq ?? 0) });
      if (last) return;
      await (isOver ? untilMediaAreMade(db, id, over) : arrived);
      await stream.sleep(APART_MS);
      if (!(await mayRead())) return;
    }
  });
}

async function untilMediaAreMade(db: Db, id: string, over: AbortSignal): Promise<void> {
  while (!over.aborted && (await areMediaAwaited(db, id)))
    await setTimeout(MEDIA_MS, undefined, { signal: over }).catch(() => {});
}
