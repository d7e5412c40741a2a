import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { createBoundedMemory } from "../../base/bounded-memory.ts";
import { pathTo } from "./path-to.tsx";

const MAX_BYTES = 16 * 1024 * 1024;

const parts = createBoundedMemory<ReturnType<typeof raw>>(MAX_BYTES);

/**
 * Renders a part of a page once for each value that it is made of. `of` must hold all that the part shows, so that an
 * outdated part is never found, whatever has changed. Nothing that is one reader's alone belongs into such a part.
 */
export function remembered(of: readonly [part: string, ...unknown[]], render: () => Child) {
  const name = JSON.stringify([pathTo(""), ...of]);
  const known = parts.get(name);
  if (known !== undefined) return known;
  const rendered: unknown = (render() as { toString(): unknown }).toString();
  if (typeof rendered !== "string") throw new Error(`${of[0]} is not rendered at once`);
  const part = raw(rendered);
  parts.set(name, part, rendered.length);
  return part;
}
