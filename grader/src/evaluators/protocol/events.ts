import { isUtf8 } from "node:buffer";
import { isExactNumber, parseLenientJson, roundNumbers } from "@crowdai/shared";
import { z } from "zod";
import { type EvaluatorFailure, evaluatorFailure, excerpt } from "./evaluator-failure.ts";
import { type MetricNames, scoreByMetrics } from "./metrics.ts";

/** The most artifacts in one result. */
export const MAX_ARTIFACTS = 50;

const MAX_PROBLEMS_READ = 100_000;

const file = z.object({ path: z.string().min(1).max(1000) });

const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("progress"), percent: z.number().nullish(), message: z.string().nullish() }),
  z.object({ type: z.literal("log"), message: z.string() }),
  z.object({
    type: z.literal("result"),
    score: z.number().nullish(),
    score_secondary: z.number().nullish(),
    /** Shown to no participant before the round has ended. */
    score_final: z.number().nullish(),
    message: z.string().nullish(),
    meta: z.record(z.string(), z.unknown()).nullish(),
    media: file.nullish(),
    artifacts: z
      .array(file.extend({ name: z.string().max(255).nullish() }))
      .max(MAX_ARTIFACTS)
      .nullish(),
    data: z.unknown().optional(),
    /** Of the function of a challenge's check: what is wrong with the submission. */
    problems: z.array(z.string()).max(MAX_PROBLEMS_READ).nullish(),
  }),
  z.object({ type: z.literal("error"), message: z.string() }),
]);

export type EvaluatorEvent = z.infer<typeof eventSchema>;
export type ResultEvent = Extract<EvaluatorEvent, { type: "result" }> & {
  /** Fields that were NaN or Infinity, which JSON cannot represent; they are null now. */
  notFinite?: readonly string[];
};
export type LiveEvaluatorEvent = Extract<EvaluatorEvent, { type: "progress" | "log" }>;

/** A line of stdout, parsed, with the id of its job. */
export interface Line {
  id: string;
  fields: Record<string, unknown>;
  notFinite: readonly string[];
}

export function readLine(bytes: Buffer): Line | EvaluatorFailure {
  if (!isUtf8(bytes))
    return evaluatorFailure("evaluator_output", `not UTF-8: ${excerpt(bytes)}`, "a line that is not JSON");
  let value: unknown;
  let notFinite: string[];
  try {
    // Python writes NaN and Infinity literally.
    ({ value, notFinite } = parseLenientJson(bytes.toString("utf8"), "The line"));
  } catch (error) {
    const detail = `${(error as Error).message} The line: ${excerpt(bytes)}`;
    return evaluatorFailure("evaluator_output", detail, "a line that is not JSON");
  }
  const fields = value as Record<string, unknown> | null;
  if (typeof fields !== "object" || fields === null || typeof fields.id !== "string")
    return evaluatorFailure(
      "evaluator_output",
      `not an object with an id: ${excerpt(bytes)}`,
      "an invalid event",
    );
  return { id: fields.id, fields, notFinite };
}

export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

/**
 * Parses an event of the job. A result of `submit` requires a score; for other functions it is optional. With
 * `metricNames`, a result may have metrics instead.
 */
export function readEvent(
  line: Pick<Line, "fields" | "notFinite">,
  calledFunction: string,
  metricNames: MetricNames | null = null,
): Exclude<EvaluatorEvent, { type: "result" }> | ResultEvent | EvaluatorFailure {
  const hasMetrics = metricNames !== null && line.fields.type === "result" && line.fields.metrics != null;
  const scored = hasMetrics ? scoreByMetrics(line, metricNames) : line;
  if ("kind" in scored) return scored;
  const { fields, notFinite } = scored;
  const event = { ...fields };
  if (fields.type === "result")
    for (const name of ["score", "score_secondary", "score_final"]) {
      const problem = scoreProblem(fields[name], notFinite.includes(name), {
        isRequired: name === "score" && calledFunction === "submit",
      });
      if (problem !== null) {
        const shown = name === "score_final" && problem !== "NaN or Infinity" ? "not a number" : problem;
        return evaluatorFailure("evaluator_score", `${name} is ${shown}`, name);
      }
      event[name] = roundNumbers(fields[name]);
    }
  event.percent = roundNumbers(fields.percent);
  const read = eventSchema.safeParse(event);
  if (read.success) return read.data.type === "result" ? { ...read.data, notFinite } : read.data;
  const problems = read.error.issues
    .map((issue) => `${issue.path.join(".") || "event"}: ${issue.message}`)
    .join("; ");
  return evaluatorFailure("evaluator_output", `an invalid event: ${problems}`, "an invalid event");
}

/**
 * A score is a double: a decimal is rounded to one, but an integer beyond 2^53 must not become another one.
 */
function scoreProblem(
  value: unknown,
  isNotFinite: boolean,
  { isRequired }: { isRequired: boolean },
): string | null {
  if (isNotFinite) return "NaN or Infinity";
  if (value === undefined || value === null) return isRequired ? "missing" : null;
  if (isExactNumber(value))
    return typeof value.valueOf() === "bigint" ? `${value.text.slice(0, 100)}, an integer beyond 2^53` : null;
  return typeof value === "number" ? null : String(JSON.stringify(value)?.slice(0, 200));
}
