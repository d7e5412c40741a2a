import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { singleRange } from "@crowdai/shared/objects";
import { type Context, Hono } from "hono";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { requireVisible } from "../../domain/rules/visibility.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { bearerKey } from "../requests/bearer-key.ts";

/**
 * Public files of a challenge. Serves only files that the loaded challenge lists, never private ones.
 * `reader` identifies a request without a key: a reader of the pages, which link to them.
 */
export function dataRoutes(
  context: () => Needs<"catalog" | "records" | "webapp" | "objects">,
  reader: (c: Context) => Promise<Caller | null>,
): Hono {
  const routes = new Hono();
  routes.get("/api/v1/challenges/:id/data/:name{.+}", async (c) => {
    const { id, name } = c.req.param();
    const { config, data } = context().catalog.get(id);
    if (config.visibility.private) {
      const key = bearerKey(c);
      // An invalid key counts as none: its own error would reveal that the challenge exists.
      const caller = key
        ? await context()
            .webapp.identify(key)
            .catch(() => null)
        : await reader(c);
      await requireVisible(context(), config, caller);
    }
    const file = data.find((known) => known.name === name);
    if (!file) throw new CrowdaiError("object_missing", `${id} has no public file "${name.slice(0, 200)}".`);
    const range = singleRange(c.req.header("range") ?? null, file.size);
    const headers = {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(basename(name))}`,
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
      etag: `"${file.sha256}"`,
    };
    if (range === "unsatisfiable")
      return c.body(null, 416, { ...headers, "content-range": `bytes */${file.size}` });
    const { start, end } = range ?? { start: 0, end: file.size - 1 };
    const length = { ...headers, "content-length": String(Math.max(0, end - start + 1)) };
    if (file.size === 0) return c.body(null, 200, length);
    const bytes =
      "path" in file
        ? createReadStream(file.path, { start, end })
        : Readable.from(await context().objects.get(file.key, { start, end }));
    const stream = Readable.toWeb(bytes) as ReadableStream;
    if (!range) return c.body(stream, 200, length);
    return c.body(stream, 206, { ...length, "content-range": `bytes ${start}-${end}/${file.size}` });
  });
  return routes;
}
