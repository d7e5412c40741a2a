import type { BoardMoved } from "@crowdai/shared";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type BoardWatch, watcherOf } from "../../domain/leaderboard/board-watch.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isOpenBoard, sightOfBoard } from "../../domain/rules/visibility.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { bearerKey } from "../requests/bearer-key.ts";

const HEARTBEAT_MS = 25_000;
/** How often the right to read is checked on a quiet board that not everyone may see. */
const CHECK_MS = 5_000;

/**
 * `GET /challenges/:id/leaderboard/events`: server-sent events of type `leaderboard`, each with the version
 * of a round's boards: first the current versions, then one when a board changes, at most one per second.
 */
export function boardEventRoutes(
  context: () => Needs<"catalog" | "records" | "webapp">,
  boards: BoardWatch,
  /** Identifies a request without a key: a reader of the pages. */
  reader: (c: Context) => Promise<Caller | null>,
  /** Returns the address of the client that sent a request. */
  address: (c: Context) => string,
): Hono {
  const routes = new Hono();
  routes.get("/challenges/:id/leaderboard/events", async (c) => {
    const { catalog, webapp } = context();
    const key = bearerKey(c);
    const viewer = async () => (key ? webapp.identify(key) : reader(c));
    // Identified first: an invalid key is refused alike for every challenge.
    const first = await viewer();
    const { config } = catalog.get(c.req.param("id"));
    await sightOfBoard(context(), config, first);
    const requireSight = async () => sightOfBoard(context(), catalog.get(config.id).config, await viewer());
    // A board that everyone may see stays visible whatever becomes of the key.
    const mayRead = async () => isOpenBoard(catalog, config.id) || requireSight().then(Boolean, () => false);

    const waiting = new Map<string, BoardMoved>();
    let wake = () => {};
    const watch = await boards.watch(config.id, watcherOf(first, address(c)), (moved) => {
      waiting.set(moved.round, moved);
      wake();
    });
    for (const board of watch.now) waiting.set(board.round, board);
    // Keeps proxies from buffering events.
    c.header("X-Accel-Buffering", "no");
    return streamSSE(c, async (stream) => {
      const heartbeat = setInterval(
        () => {
          void stream.write(": still here\n\n");
          wake();
        },
        isOpenBoard(catalog, config.id) ? HEARTBEAT_MS : CHECK_MS,
      );
      const end = () => {
        clearInterval(heartbeat);
        watch.stop();
        wake();
      };
      stream.onAbort(end);
      await stream.write(": watching\n\n");
      while (!stream.aborted) {
        // A slow reader gets only the newest versions.
        const boards = [...waiting.values()];
        waiting.clear();
        for (const board of boards)
          await stream.writeSSE({
            event: "leaderboard",
            id: String(board.version),
            data: JSON.stringify(board),
          });
        if (waiting.size > 0 || stream.aborted) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        // The key may have been revoked, or the invitation withdrawn.
        if (!(await mayRead())) return end();
      }
    });
  });
  return routes;
}
