import { parseArgs } from "node:util";

const RUNTIMES = ["node", "bun"] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface TestOptions {
  /** Paths of tests, or parts of them. All tests when empty. */
  filters: string[];
  runtimes: readonly Runtime[];
  /** Only what needs neither services nor processes. */
  quick: boolean;
  /** Minutes until a run of tests is ended. */
  limit: number;
}

const DEFAULT_LIMIT_MINUTES = 30;

/** Reads the arguments of `npm test`. Throws an Error with a sentence for the user. */
export function readTestOptions(args: string[]): TestOptions {
  const { values, positionals: filters } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runtime: { type: "string" },
      quick: { type: "boolean", default: false },
      limit: { type: "string", default: String(DEFAULT_LIMIT_MINUTES) },
    },
  });
  const runtimes = values.quick && !values.runtime ? (["node"] as const) : RUNTIMES;
  const chosen = runtimes.filter((runtime) => values.runtime === undefined || values.runtime === runtime);
  if (chosen.length === 0) throw new Error(`--runtime is ${RUNTIMES.join(" or ")}, not ${values.runtime}`);
  const limit = Number(values.limit);
  if (!(limit > 0)) throw new Error(`--limit is a number of minutes above 0, not ${values.limit}`);
  return { filters, runtimes: chosen, quick: values.quick, limit };
}
