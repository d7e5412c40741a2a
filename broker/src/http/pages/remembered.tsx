import { raw } from "hono/html";
import { type Child, createContext, useContext } from "hono/jsx";
import { type BoundedMemory, createBoundedMemory } from "../../base/bounded-memory.ts";
import { pathTo } from "./path-to.tsx";

const MAX_BYTES = 16 * 1024 * 1024;

export type PartMemory = BoundedMemory<ReturnType<typeof raw>>;

export const createPartMemory = (): PartMemory => createBoundedMemory(MAX_BYTES);

const Parts = createContext<PartMemory | null>(null);

/** Renders its children with the parts that are remembered. */
export const WithParts = Parts.Provider;

const identities = new WeakMap<object, number>();
let identified = 0;

/**
 * Returns a number that no other object has, to name what a part is made of: shorter than the object's text.
 * Only for objects that are never changed in place, such as configurations and what a read memory returned.
 */
export function identity(of: object): number {
  let number = identities.get(of);
  if (number === undefined) {
    number = ++identified;
    identities.set(of, number);
  }
  return number;
}

/**
 * Renders a part of a page once for each value that it is made of. `of` must hold all that the part shows, so
 * that an outdated part is never found, whatever has changed. Nothing that is one reader's alone belongs into
 * such a part. To be called while a page is rendered.
 */
export function remembered(of: readonly [part: string, ...unknown[]], render: () => Child) {
  const parts = useContext(Parts);
  if (parts === null) throw new Error("remembered is called outside a page");
  const name = JSON.stringify([pathTo(""), ...of]);
  const known = parts.get(name);
  if (known !== undefined) return known;
  const rendered: unknown = (render() as { toString(): unknown }).toString();
  if (typeof rendered !== "string") throw new Error(`${of[0]} is not rendered at once`);
  const part = raw(rendered);
  parts.set(name, part, rendered.length);
  return part;
}
