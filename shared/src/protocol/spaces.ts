import { z } from "zod";

/** The number that stands for an infinite bound, which JSON cannot represent. */
export const INFINITE = 1e100;

const bounds = z.array(z.number());

/**
 * A set of actions or observations, in the form of gym-http-api. `low` and `high` are flat lists, with ±1e100
 * for infinite bounds. A `Text` is a string, and `Any` is not checked.
 */
export type Space =
  | { name: "Discrete"; n: number; start?: number | undefined }
  | { name: "Box"; shape: number[]; low: number[]; high: number[]; dtype?: string | undefined }
  | { name: "MultiDiscrete"; nvec: number[] }
  | { name: "MultiBinary"; n: number }
  | { name: "Dict"; spaces: Record<string, Space> }
  | { name: "Tuple"; spaces: Space[] }
  | { name: "Text"; max_length?: number | undefined }
  | { name: "Any" };

export const spaceSchema: z.ZodType<Space> = z.lazy(() =>
  z.discriminatedUnion("name", [
    z.object({ name: z.literal("Discrete"), n: z.int().min(1), start: z.int().optional() }),
    z.object({
      name: z.literal("Box"),
      shape: z.array(z.int().min(0)),
      low: bounds,
      high: bounds,
      dtype: z.string().optional(),
    }),
    z.object({ name: z.literal("MultiDiscrete"), nvec: z.array(z.int().min(1)) }),
    z.object({ name: z.literal("MultiBinary"), n: z.int().min(1) }),
    z.object({ name: z.literal("Dict"), spaces: z.record(z.string(), spaceSchema) }),
    z.object({ name: z.literal("Tuple"), spaces: z.array(spaceSchema) }),
    z.object({ name: z.literal("Text"), max_length: z.int().optional() }),
    z.object({ name: z.literal("Any") }),
  ]),
);
