import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { Hono } from "hono";
import type { SubmissionContext } from "../submissions/context.ts";

/** Public files of a challenge. Only what the loaded challenge lists is served, so nothing private can be named. */
export function dataRoutes(context: () => SubmissionContext): Hono {
  const routes = new Hono();
  routes.get("/api/v1/challenges/:id/data/:name{.+}", (c) => {
    const { id, name } = c.req.param();
    const file = context()
      .catalogue.get(id)
      .data.find((known) => known.name === name);
    if (!file) throw new CrowdaiError("object_missing", `${id} has no public file "${name.slice(0, 200)}".`);
    const range = byteRange(c.req.header("range"), file.size);
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
    const stream = Readable.toWeb(createReadStream(file.path, { start, end })) as ReadableStream;
    if (!range) return c.body(stream, 200, length);
    return c.body(stream, 206, { ...length, "content-range": `bytes ${start}-${end}/${file.size}` });
  });
  return routes;
}

function byteRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | null {
  const match = header?.match(/^bytes=(\d*)-(\d*)$/);
  if (!match || (match[1] === "" && match[2] === "")) return null;
  const [from, to] = [match[1] ?? "", match[2] ?? ""];
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start > end || start >= size ? "unsatisfiable" : { start, end };
}
