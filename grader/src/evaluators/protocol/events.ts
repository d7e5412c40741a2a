import { isUtf8 } from "node:buffer";
import { CrowdaiError, parseJson } from "@crowdai/shared";
import { z } from "zod";
import { type EvaluatorFailure, evaluatorFailure, excerpt } from "./evaluator-failure.ts";

/** The most artifacts in one result. */
export const MAX_ARTIFACTS = 50;

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
      .max(MAX_ARTIFACTS)
      .nullish(),
    data: z.unknown().optional(),
  }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);

export type EvaluatorEvent = z.infer<typeof eventSchema>;
export type ResultEvent = Extract<EvaluatorEvent, { type: "result" }>;
export type LiveEvaluatorEvent = Extract<EvaluatorEvent, { type: "progress" | "log" }>;

/** A line of stdout, parsed, with the id of its job. */
export interface Line {
  id: string;
  fields: Record<string, unknown>;
}

export function readLine(bytes: Buffer): Line | EvaluatorFailure {
  if (!isUtf8(bytes))
    return evaluatorFailure("evaluator_output", `not UTF-8: ${excerpt(bytes)}`, "a line that is not JSON");
  let value: unknown;
  try {
    value = parseJson(bytes.toString("utf8"), "The line");
  } catch (error) {
    const detail = `${(error as Error).message} The line: ${excerpt(bytes)}`;
    // Python writes NaN and Infinity literally.
    if (error instanceof CrowdaiError && error.code === "value_not_finite")
      return evaluatorFailure("evaluator_score", detail);
    return evaluatorFailure("evaluator_output", detail, "a line that is not JSON");
  }
  const fields = value as Record<string, unknown> | null;
  if (typeof fields !== "object" || fields === null || typeof fields.id !== "string")
    return evaluatorFailure(
      "evaluator_output",
      `not an object with an id: ${excerpt(bytes)}`,
      "an invalid event",
    );
  return { id: fields.id, fields };
}

export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

/** Parses an event of the job. A result of `submit` requires a score; for other functions it is optional. */
export function readEvent(
  fields: Record<string, unknown>,
  calledFunction: string,
): EvaluatorEvent | EvaluatorFailure {
  if (fields.type === "result") {
    for (const name of ["score", "score_secondary"]) {
      const value = fields[name];
      const absent = value === undefined || value === null;
      const needed = name === "score" && calledFunction === "submit";
      if (absent ? needed : typeof value !== "number" || !Number.isFinite(value))
        return evaluatorFailure(
          "evaluator_score",
          `${name} is ${absent ? "missing" : JSON.stringify(value)?.slice(0, 200)}`,
        );
    }
  }
  const read = eventSchema.safeParse(fields);
  if (read.success) return read.data;
  const problems = read.error.issues
    .map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`)
    .join("; ");
  return evaluatorFailure("evaluator_output", `an invalid event: ${problems}`, "an invalid event");
}
