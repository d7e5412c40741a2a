import { quoted } from "../protocol/suggest.ts";
import { type ConfigProblem, fieldName } from "./config-problems.ts";

type Raw = Record<string, unknown>;
type Found = Omit<ConfigProblem, "file">;

/** Kinds of evaluators that were written for another platform. They know one function: submit. */
export const PORTED_KINDS = ["codabench", "evalai", "kaggle"] as const;

/** Finds settings of an evaluator from another platform that contradict the rest of challenge.json. */
export function portedProblems({ evaluator, rounds, check, accepts }: Raw): Found[] {
  if (!isObject(evaluator)) return [];
  const kind = PORTED_KINDS.find((name) => evaluator[name] !== undefined);
  if (!kind) return [];
  const problems: Found[] = [];
  if (isObject(check) && check.function != null)
    problems.push({
      field: "check.function",
      expected: "an evaluator with functions of its own",
      got: quoted(kind),
    });
  if (kind === "kaggle" && isObject(accepts)) problems.push(...csvProblems(accepts));
  if (isObject(evaluator.annotations))
    problems.push(...annotationProblems(evaluator.annotations, roundIds(rounds)));
  return problems;
}

/** A metric of Kaggle reads one CSV file. */
function csvProblems({ file, json }: Raw): Found[] {
  const problems: Found[] = [];
  if (json !== undefined)
    problems.push({ field: "accepts.json", expected: "no such field, because the metric reads a CSV file" });
  if (isObject(file) && file.unpack === true)
    problems.push({
      field: "accepts.file.unpack",
      expected: "false, because the metric reads a CSV file",
      got: "true",
    });
  return problems;
}

function annotationProblems(annotations: Raw, rounds: string[]): Found[] {
  const field = (round: string) => fieldName(["evaluator", "annotations", round]);
  const unknown = Object.keys(annotations).filter((id) => !rounds.includes(id));
  const missing = rounds.filter((id) => !Object.hasOwn(annotations, id));
  return [
    ...unknown.map((id) => ({
      field: field(id),
      expected: `the id of a round (${rounds.map(quoted).join(", ")})`,
      got: quoted(id),
    })),
    ...missing.map((id) => ({ field: field(id), expected: "a file for this round", got: "none" })),
  ];
}

/** Returns the ids of the rounds; without rounds there is one, "1". */
function roundIds(rounds: unknown): string[] {
  if (!Array.isArray(rounds)) return ["1"];
  return rounds.flatMap((round) =>
    isObject(round) && (typeof round.id === "string" || typeof round.id === "number")
      ? [String(round.id)]
      : [],
  );
}

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
