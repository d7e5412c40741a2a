import { z } from "zod";
import { lineSchema } from "../protocol/plain-text.ts";

/** Settings of every evaluator that runs as a process. */
export const processSettings = {
  functions: z.array(lineSchema.min(1)).min(1).default(["submit"]),
  timeout_seconds: z
    .number()
    .positive()
    .max(7 * 24 * 3600)
    .default(600),
  memory_mb: z.int().min(16).nullable().default(null),
  sandbox: z.enum(["none", "bubblewrap"]).default("none"),
};
