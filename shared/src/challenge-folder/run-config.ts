import { z } from "zod";

const MEBIBYTE = 1024 * 1024;

export const wordsSchema = z.array(z.string().min(1)).min(1);

/** The root folder of a box. */
export const imageSchema = z
  .union([
    z.literal("host"),
    z.strictObject({
      path: z.string().min(1).describe("A folder or a .squashfs file of the challenge folder."),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, "64 lowercase hexadecimal digits")
        .optional(),
    }),
  ])
  .default("host")
  .describe("The root folder that programs see: that of the grader's machine, or an image.");

const folder = z
  .string()
  .min(1)
  .describe("A folder of the challenge folder, or a file of JSON lines with output.lines.");

const output = z.union([
  z.strictObject({
    path: z.string().min(1).describe("The file that the program leaves in /out."),
    max_bytes: z
      .int()
      .min(1)
      .default(64 * MEBIBYTE),
  }),
  z.strictObject({
    lines: z.literal(true).describe("The program reads JSON lines, and answers each with a line on stdout."),
    feed: z
      .enum(["all", "one"])
      .default("all")
      .describe("Whether the program gets all lines at once, or each when it has answered the one before."),
    max_bytes: z
      .int()
      .min(1)
      .default(64 * MEBIBYTE),
  }),
]);

const limits = z.strictObject({
  wall_seconds: z
    .number()
    .positive()
    .max(7 * 24 * 3600)
    .default(600)
    .describe("Of each run: on the sample, and on the private input."),
  cpu_seconds: z.number().positive().nullable().default(null),
  memory_mb: z
    .int()
    .min(16)
    .default(2048)
    .describe("Of all processes together, with their files in /tmp and /out."),
  processes: z.int().min(1).max(32_768).default(128).describe("Processes and threads."),
  scratch_mb: z.int().min(1).default(512),
  build_seconds: z
    .number()
    .positive()
    .max(24 * 3600)
    .default(600),
});

/** How participants' code is run, in a box. */
export const runSchema = z.strictObject({
  command: z
    .union([z.literal("submission"), wordsSchema])
    .describe('The program and its arguments; "submission" if each participant names it in crowdai.json.'),
  image: imageSchema,
  build: z
    .union([z.literal("auto"), wordsSchema])
    .nullable()
    .default("auto")
    .describe(
      "Run once before the program, without a network: a command, or what requirements.txt or package-lock.json ask for.",
    ),
  packages: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("Folder of the packages that a build may install."),
  input: folder.nullable().default(null).describe("The private input, read-only at /input."),
  sample: folder
    .nullable()
    .default(null)
    .describe("Public input of the same shape. The program is run on it first."),
  output,
  limits: limits.default(() => limits.parse({})),
  logs: z
    .enum(["none", "sample", "all"])
    .default("sample")
    .describe("Of which runs the participant sees what the program printed."),
});

export type RunConfig = z.infer<typeof runSchema>;
