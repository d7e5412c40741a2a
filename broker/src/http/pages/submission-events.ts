import { setTimeout } from "node:timers/promises";
import { isFinal } from "@crowdai/shared";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { areMediaAwaited } from "../../domain/media/media-work.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import type { PageContext } from "./page-context.ts";

/** At least this often something is sent: it keeps the connection, and tells places in line, which are no events. */
const BEAT_MS = 5000;
const APART_MS = 200;
/** Media come after the grade, from whichever broker makes them, and are no event: the records are asked for them. */
const MEDIA_MS = 400;

/**
 * Tells a page that a submission changed, as server-sent events: `change`, and `end` after the last, when its media are made too. What
 * changed is read from its page.
 */
export function followSubmission(
  c: Context,
  { context, nextEvent }: Pick<PageContext<Needs<"records">>, "context" | "nextEvent">,
  id: string,
): Response {
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const { db } = context().records;
    while (!stream.aborted) {
      const over = AbortSignal.any([gone.signal, AbortSignal.timeout(BEAT_MS)]);
      // Listened for before reading, so that nothing slips between.
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
    }
  });
}

async function untilMediaAreMade(db: Db, id: string, over: AbortSignal): Promise<void> {
  while (!over.aborted && (await areMediaAwaited(db, id)))
    await setTimeout(MEDIA_MS, undefined, { signal: over }).catch(() => {});
}
