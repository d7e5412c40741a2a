import { createContext, useContext } from "hono/jsx";

const BasePath = createContext<string | null>(null);

/** Renders its children for readers who reach the broker below this path. */
export const BelowBasePath = BasePath.Provider;

/**
 * Returns the address of one of the broker's paths, for a link, a form or a script. To be called while a page
 * is rendered.
 */
export function pathTo(path: string): string {
  const basePath = useContext(BasePath);
  if (basePath === null) throw new Error("pathTo is called outside a page");
  return basePath + path;
}
