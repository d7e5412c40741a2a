import type { Context } from "hono";
import type { Manager } from "./callers.ts";
import type { Parameters } from "./parameters.ts";

/** The services that each group of routes uses. */
export interface WebappGroup<N = unknown> {
  context: () => N;
  /** Identifies the caller. Throws Unauthorized. */
  manager: (c: Context) => Promise<Manager>;
  /** Reads the parameters. Throws a Refusal for an invalid request. */
  parameters: (c: Context) => Promise<Parameters>;
}
