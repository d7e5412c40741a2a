import type { Context } from "hono";
import type { Manager } from "./callers.ts";
import type { Parameters } from "./parameters.ts";

/** What the groups of routes work with. */
export interface WebappGroup<N = unknown> {
  context: () => N;
  /** Who calls. Throws Unauthorized. */
  manager: (c: Context) => Promise<Manager>;
  /** What the call says. Throws a Refusal for what cannot be read. */
  parameters: (c: Context) => Promise<Parameters>;
}
