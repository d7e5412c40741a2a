import { isUtf8 } from "node:buffer";
import { CrowdaiError, parseJson } from "@crowdai/shared";
import { z } from "zod";
import { excerpt, type Fault, fault } from "./evaluator-failure.ts";

/** Most files a result may name besides its media. */
export const ARTIFACT_LIMIT = 50;

const file = z.object({ path: z.string().min(1).max(1000) });

const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), percent: z.number().nullish(), message: z.string().nullish() }),
  z.object({ type: z.literal("log"), message: z.string() }),
  z.object({
    type: z.literal("result"),
    score: z.number().nullish(),
    score_secondary: z.number().nullish(),
    message: z.string().nullish(),
    meta: z.record(z.string(), z.unknown()).nullish(),
    media: file.nullish(),
    artifacts: z
      .array(file.extend({ name: z.string().max(255).nullish() }))
      .max(ARTIFACT_LIMIT)
      .nullish(),
    data: z.unknown().optional(),
  }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);

export type EvaluatorEvent = z.infer<typeof eventSchema>;
export type ResultEvent = Extract<EvaluatorEvent, { type: "result" }>;
export type LiveEvaluatorEvent = Extract<EvaluatorEvent, { type: "progress" | "log" }>;

/** A line of stdout as an object with the id of the job it speaks of. */
export interface Line {
  id: string;
  fields: Record<string, unknown>;
}

export function readLine(bytes: Buffer): Line | Fault {
  if (!isUtf8(bytes))
    return fault("evaluator_output", `not UTF-8: ${excerpt(bytes)}`, "a line that is no JSON");
  let value: unknown;
  try {
    value = parseJson(bytes.toString("utf8"), "The line");
  } catch (error) {
    const detail = `${(error as Error).message} The line: ${excerpt(bytes)}`;
    // Python writes NaN and Infinity literally.
    if (error instanceof CrowdaiError && error.code === "value_not_finite")
      return fault("evaluator_score", detail);
    return fault("evaluator_output", detail, "a line that is no JSON");
  }
  const fields = value as Record<string, unknown> | null;
  if (typeof fields !== "object" || fields === null || typeof fields.id !== "string")
    return fault("evaluator_output", `no object with an id: ${excerpt(bytes)}`, "an event of the wrong form");
  return { id: fields.id, fields };
}

export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

/** The event in a line of this job. A result of `submit` must carry a score; elsewhere it may be left out. */
export function readEvent(fields: Record<string, unknown>, calledFunction: string): EvaluatorEvent | Fault {
  if (fields.type === "result") {
    for (const name of ["score", "score_secondary"]) {
      const value = fields[name];
      const absent = value === undefined || value === null;
      const needed = name === "score" && calledFunction === "submit";
      if (absent ? needed : typeof value !== "number" || !Number.isFinite(value))
        return fault(
          "evaluator_score",
          `${name} is ${absent ? "missing" : JSON.stringify(value)?.slice(0, 200)}`,
        );
    }
  }
  const read = eventSchema.safeParse(fields);
  if (read.success) return read.data;
  const mistakes = read.error.issues
    .map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`)
    .join("; ");
  return fault("evaluator_output", `an event of the wrong form: ${mistakes}`, "an event of the wrong form");
}
