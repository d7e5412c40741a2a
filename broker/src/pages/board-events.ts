import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { BoardWatch } from "./board-watch.ts";

/** What sends nothing for long is closed by the broker, and by many a proxy before it. */
const BEAT_MS = 20_000;

/** Tells a page that a challenge's boards moved, as server-sent events: `change` with a version. The rows are read from the page. */
export async function followBoards(c: Context, watch: BoardWatch, challenge: string): Promise<Response> {
  const version = await watch.readVersion(challenge);
  c.header("x-accel-buffering", "no");
  return streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    // A browser that comes back names the last version it heard of.
    const heard = c.req.header("last-event-id") ?? version;
    const tell = (now: string) => {
      stream.writeSSE({ event: "change", id: now, data: now }).catch(() => gone.abort());
    };
    await stream.writeSSE({ event: "hello", id: version, data: version });
    if (heard !== version) tell(version);
    watch.follow(challenge, version, tell, gone.signal);
    while (!gone.signal.aborted) {
      await stream.sleep(BEAT_MS);
      await stream.write(": still here\n\n");
    }
  });
}
