import { z } from "zod";
import { metricFields, oneOfMetricFields } from "./metric-fields.ts";
import { processSettings } from "./process-settings.ts";

/** A scoring program of Codabench or CodaLab, which runs unchanged. */
export const codabenchSchema = z
  .strictObject({
    codabench: z
      .string()
      .min(1)
      .describe("Folder of a scoring program of Codabench or CodaLab, with its metadata file."),
    reference: z
      .union([z.string().min(1), z.record(z.string(), z.string().min(1))])
      .nullable()
      .default(null)
      .describe("Folder or file that the program finds in $input/ref, or one for each round, by its id."),
    ...metricFields,
    detailed_results: z
      .boolean()
      .default(true)
      .describe("Whether the participant sees the detailed_results.html that the program writes."),
    private_results: z
      .union([z.array(z.string()), z.literal(true)])
      .default([])
      .describe(
        "Names of scores that only organizers see; true for all but the score and the secondary score.",
      ),
    python: z.string().min(1).default("python3"),
    ...processSettings,
  })
  .refine(...oneOfMetricFields);

export type CodabenchConfig = z.infer<typeof codabenchSchema>;
