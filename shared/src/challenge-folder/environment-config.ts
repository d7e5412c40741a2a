import { z } from "zod";
import { imageSchema, wordsSchema } from "./run-config.ts";

const seconds = (most: number) => z.number().positive().max(most);
const DAY = 24 * 3600;

const limits = z.strictObject({
  steps: z.int().min(1).max(1_000_000).default(1000).describe("Of an episode. It is then truncated."),
  step_seconds: seconds(3600)
    .default(1)
    .describe("How long a code agent may think before a step without using up its bank."),
  bank_seconds: z
    .number()
    .min(0)
    .max(DAY)
    .default(60)
    .describe("How much longer than step_seconds a code agent may think, in each episode together."),
  reset_seconds: seconds(DAY).default(60).describe("Of a reset of the environment, and of its start."),
  env_step_seconds: seconds(DAY).default(30).describe("Of a step of the environment."),
  episode_seconds: seconds(7 * DAY).default(1800),
  idle_seconds: seconds(DAY).default(300).describe("How long a remote agent may be silent."),
});

const codeLimits = z.strictObject({
  memory_mb: z.int().min(16).default(2048),
  processes: z.int().min(1).max(32_768).default(128).describe("Processes and threads."),
  scratch_mb: z.int().min(1).default(512),
  cpu_seconds: z.number().positive().nullable().default(null),
  build_seconds: seconds(DAY).default(600),
});

/** How the code of an agent is built and run, in a box. */
const code = z.strictObject({
  command: z.union([z.literal("submission"), wordsSchema]).default("submission"),
  image: imageSchema,
  build: z
    .union([z.literal("auto"), wordsSchema])
    .nullable()
    .default("auto"),
  packages: z.string().min(1).nullable().default(null),
  limits: codeLimits.default(() => codeLimits.parse({})),
  logs: z
    .enum(["none", "all"])
    .default("all")
    .describe("Whether the participant sees what the agent printed to stderr."),
});

const MAX_SEED = 2 ** 31 - 1;
/** The contents of a seeds file: an array of the seeds of all episodes. */
export const seedListSchema = z.array(z.int().min(0).max(MAX_SEED)).min(1).max(10_000);

const seeds = z.union([
  z.strictObject({
    count: z.int().min(1).max(10_000),
    per: z
      .enum(["round", "submission"])
      .default("round")
      .describe("Whether all submissions of a round play the same episodes."),
  }),
  z.strictObject({
    file: z
      .string()
      .min(1)
      .describe("A private file of the challenge folder: a JSON array of whole numbers."),
  }),
]);

/** An environment that agents step, hosted by the graders. */
export const environmentSchema = z.strictObject({
  gym: z
    .string()
    .regex(/^[^:]+\.py:[A-Za-z_]\w*$/, 'a file and a function or class, such as "env.py:make"')
    .optional()
    .describe("The class or function that makes a Gymnasium or gym environment; short for evaluator.gym."),
  agents: z
    .array(z.enum(["code", "remote"]))
    .min(1)
    .default(["code", "remote"]),
  seeds: seeds
    .default({ count: 3, per: "round" })
    .describe("One for each episode. They are secret until the challenge is closed."),
  score: z
    .enum(["mean_return", "result"])
    .default("mean_return")
    .describe("The sum of all rewards divided by the number of episodes, or the environment's own result."),
  limits: limits.default(() => limits.parse({})),
  deterministic: z
    .boolean()
    .default(true)
    .describe(
      "Whether the same seed and actions give the same observations, so that sessions can be resumed.",
    ),
  reward_visible: z.boolean().default(true).describe("Whether agents see rewards; otherwise they get 0."),
  code: code.default(() => code.parse({})),
  old_clients: z
    .strictObject({ env_id: z.string().min(1).max(200) })
    .nullable()
    .default(null)
    .describe(
      "The name by which clients of gym-http-api create the environment, besides the challenge's id.",
    ),
});

export type EnvironmentConfig = z.infer<typeof environmentSchema>;

/** The number of episodes of a session. */
export function episodeCount({ seeds }: EnvironmentConfig, listed: readonly number[] | null): number {
  return "count" in seeds ? seeds.count : (listed ?? []).length;
}
