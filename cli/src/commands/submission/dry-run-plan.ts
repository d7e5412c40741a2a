import { INLINE_LIMIT, type Limits, type PublicChallenge, type Round } from "@crowdai/shared";
import { checkInput, type InputDescription } from "../../submit/checks.ts";
import type { ModelToSend } from "../../submit/models.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { sizeText } from "../../terminal/size.ts";
import { type CodePlan, codeLines } from "./report-code.ts";
import { slotsText } from "./report-grade.ts";

/** What would be sent, and what was checked: the answer of --dry-run. */
export interface Plan {
  broker: string;
  challenge: string;
  round: string | null;
  message: string | null;
  input: {
    kind: "file" | "json";
    name: string | null;
    size: number;
    sha256: string;
    way: "message" | "upload";
  };
  code: CodePlan | null;
  models: { name: string; size: number; sha256: string }[];
  checks: string[];
  limits: Limits | null;
}

export interface PlanFacts {
  broker: string;
  challenge: PublicChallenge;
  round: Round | null;
  message: string | undefined;
  limits: Limits | null;
  offered: InputDescription;
  sha256: string;
  code: CodePlan | null;
  models?: readonly ModelToSend[];
}

/** Throws what checkInput throws. */
export function makePlan(facts: PlanFacts): Plan {
  const { broker, challenge, round, message, limits, offered, sha256, code, models = [] } = facts;
  const { kind, name, size } = offered;
  const way = kind === "json" && size <= INLINE_LIMIT ? "message" : "upload";
  return {
    broker,
    challenge: challenge.id,
    round: round?.id ?? null,
    message: message ?? null,
    input: { kind, name, size, sha256, way },
    code,
    models: models.map(({ name, source }) => ({ name, size: source.size, sha256: source.sha256 })),
    checks: [
      round ? `round "${round.id}" is open` : "the challenge takes submissions after its end",
      ...checkInput(challenge, offered),
    ],
    limits,
  };
}

export function planLines(plan: Plan): string[] {
  const { kind, name, size, sha256, way } = plan.input;
  const what = kind === "file" ? `file ${plainLine(name ?? "")}` : "JSON value";
  return [
    `Would submit to ${plan.challenge}${plan.round === null ? "" : `, round ${plan.round}`} at ${plan.broker}:`,
    `  ${what}, ${sizeText(size)} (${size} bytes), sha256 ${sha256}`,
    way === "upload" ? "  sent straight to the object store" : "  sent inside the message",
    ...plan.models.map(
      (model) =>
        `  model ${plainLine(model.name)}, ${sizeText(model.size)} (${model.size} bytes), sha256 ${model.sha256}`,
    ),
    ...(plan.message === null ? [] : [`  message: ${plainLine(plan.message)}`]),
    ...codeLines(plan.code),
    "Checked here:",
    ...plan.checks.map((check) => `  ${check}`),
    "Limits, which the broker decides on:",
    `  ${plan.limits ? slotsText(plan.limits) : "unknown"}`,
    "Nothing of it was sent.",
  ];
}
