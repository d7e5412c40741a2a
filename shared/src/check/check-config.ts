import { z } from "zod";
import { lineSchema } from "../protocol/plain-text.ts";

const name = lineSchema.min(1).max(1000);
const MAX_COLUMNS = 10_000;
const MAX_LISTED = 10_000;
const text = z.union([z.string().max(1000), z.number().transform(String)]);

const columnSchema = z.strictObject({
  name,
  type: z.enum(["text", "number", "integer", "boolean"]).default("text"),
  values: z.array(text).min(1).max(MAX_LISTED).optional().describe("The values that are allowed."),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  empty: z.boolean().default(false).describe("Whether the value may be missing."),
});

/** The form that a CSV file must have. */
export const csvShapeSchema = z.strictObject({
  delimiter: z.enum([",", ";", "\t"]).default(","),
  columns: z
    .array(z.union([name.transform((one) => columnSchema.parse({ name: one })), columnSchema]))
    .min(1)
    .max(MAX_COLUMNS)
    .describe("The columns, in any order; a name alone stands for a column of text."),
  extra_columns: z.boolean().default(false).describe("Whether other columns are allowed."),
  ids: z
    .strictObject({
      column: name,
      values: z.array(text).min(1).max(MAX_LISTED).optional(),
      file: z
        .string()
        .min(1)
        .optional()
        .describe("A CSV file of the public folder with the ids, such as public/test.csv."),
      file_column: name.optional().describe("The column of that file, if it has another name."),
    })
    .nullable()
    .default(null)
    .describe("Each id must occur exactly once; they are listed here or in a public file."),
  rows: z
    .union([
      z.int().min(0),
      z.strictObject({ minimum: z.int().min(0).optional(), maximum: z.int().min(0).optional() }),
    ])
    .nullable()
    .default(null)
    .describe("The number of rows, without the header."),
});
export type CsvShape = z.infer<typeof csvShapeSchema>;
export type CsvColumn = z.infer<typeof columnSchema>;

/** `check` of challenge.json: what a submission must satisfy before it is graded. */
export const checkConfigSchema = z.strictObject({
  schema: z
    .union([z.record(z.string(), z.unknown()), z.string().min(1)])
    .nullable()
    .default(null)
    .describe("A JSON Schema of values and JSON files, or a file of the public folder that contains it."),
  csv: csvShapeSchema.nullable().default(null).describe("The format of CSV files."),
  function: lineSchema
    .min(1)
    .max(100)
    .nullable()
    .default(null)
    .describe("A function of the evaluator that checks a submission without scoring it."),
  timeout_seconds: z.number().positive().max(600).default(30).describe("How long the function may take."),
  per_hour: z
    .int()
    .min(1)
    .max(10_000)
    .default(30)
    .describe("Maximum number of trials of the function per participant and hour; submissions do not count."),
  charge: z.boolean().default(false).describe("Whether a submission that fails the check costs a slot."),
  sample: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("A file of the public folder that passes the check, such as a sample submission."),
});
export type CheckConfig = z.infer<typeof checkConfigSchema>;
