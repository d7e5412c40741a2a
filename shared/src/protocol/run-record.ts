import { z } from "zod";

/** The stages of a submission whose code is run, or whose agent plays, in order. */
export const RUN_STAGES = ["build", "sample", "run", "play", "evaluate"] as const;
export type RunStage = (typeof RUN_STAGES)[number];

/**
 * One run of a program in a box. Logs are the last 64 KB of each stream, where the participant may see them.
 */
export const stageRecordSchema = z.object({
  stage: z.enum(RUN_STAGES),
  cached: z.boolean().default(false).describe("Whether an earlier build of the same files was used."),
  ended: z
    .enum(["exit", "signal", "wall", "cpu", "memory", "output", "killed"])
    .describe("The cause of its end: the program itself, a signal, or a limit."),
  exit_code: z.number().int().nullable(),
  wall_seconds: z.number().describe("Rounded to a tenth: more digits would tell of the private input."),
  cpu_seconds: z.number(),
  peak_memory_bytes: z.number().int(),
  output_bytes: z.number().int(),
  stdout: z.string().nullable(),
  stderr: z.string().nullable(),
});
export type StageRecord = z.infer<typeof stageRecordSchema>;

/** How a submission's code was run: what was run, under which limits, and how it ended. */
export const runRecordSchema = z.object({
  sandbox: z.string().describe("Name and version of what made the box."),
  kernel: z.string(),
  enforced: z.array(z.string()).describe("Limits and barriers that were in force, for people."),
  grader: z.string(),
  command: z.array(z.string()),
  image: z.string().describe('"host", or the digest of the image.'),
  packages: z.string().nullable().describe("Digest of the packages that a build could use."),
  tree: z.string().nullable().describe("Digest of the code."),
  stages: z.array(stageRecordSchema),
});
export type RunRecord = z.infer<typeof runRecordSchema>;
