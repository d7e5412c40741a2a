import { isFinal } from "@crowdai/shared";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { PageParts } from "./parts.ts";

/** At least this often something is sent: it keeps the connection, and tells places in line, which are no events. */
const BEAT_MS = 5000;
const APART_MS = 200;

/** Tells a page that a submission changed, as server-sent events: `change`, and `end` after the last. What changed is read from its page. */
export function followSubmission(
  c: Context,
  { context, nextEvent }: Pick<PageParts, "context" | "nextEvent">,
  id: string,
): Response {
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    while (!stream.aborted) {
      // Listened for before reading, so that nothing slips between.
      const arrived = nextEvent(id, AbortSignal.any([gone.signal, AbortSignal.timeout(BEAT_MS)]));
      const row = await context()
        .records.db.selectFrom("submissions")
        .select(["state", "seq"])
        .where("id", "=", id)
        .executeTakeFirst();
      const last = !row || isFinal(row.state);
      await stream.writeSSE({ event: last ? "end" : "change", data: String(row?.seq ?? 0) });
      if (last) return;
      await arrived;
      await stream.sleep(APART_MS);
    }
  });
}
