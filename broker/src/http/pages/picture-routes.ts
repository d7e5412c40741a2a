import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { Hono } from "hono";
import type { Needs } from "../../domain/submissions/services.ts";
import { seenChallenge } from "./access.ts";
import { readPicture } from "./markdown/pictures.ts";
import type { PageContext } from "./page-context.ts";

/**
 * Pictures of a challenge's public folder, for its description: images by their content, shown to readers who
 * see the challenge. They get the headers of the pages, so that a picture opened by itself runs nothing.
 */
export function pictureRoutes({
  context,
  sessions,
}: Pick<PageContext<Needs<"records" | "catalog" | "objects">>, "context" | "sessions">): Hono {
  const routes = new Hono();
  routes.get("/challenges/:id/pictures/:name{.+}", async (c) => {
    const { caller } = await sessions.read(c);
    const { id, name } = c.req.param();
    const { challenge } = await seenChallenge(context(), caller, id);
    const file = challenge.data.find((one) => one.name === name);
    const picture = file ? await readPicture(context(), file) : null;
    if (!file || !picture)
      throw new CrowdaiError("object_missing", `${id} has no picture "${name.slice(0, 200)}".`);
    const bytes =
      "path" in file
        ? createReadStream(file.path, { start: 0, end: file.size - 1 })
        : Readable.from(await context().objects.get(file.key));
    return c.body(Readable.toWeb(bytes) as ReadableStream, 200, {
      "content-type": picture.type,
      "content-length": String(file.size),
      "content-disposition": `inline; filename*=UTF-8''${encodeURIComponent(basename(name))}`,
      "x-content-type-options": "nosniff",
      "cache-control": challenge.config.visibility.private ? "private, no-cache" : "public, max-age=3600",
      etag: `"${file.sha256}"`,
    });
  });
  return routes;
}
