import { type Limits, MAX_INLINE_BYTES, type PublicChallenge, type Round } from "@crowdai/shared";
import { checkInput, type InputDescription } from "../../submit/check-input.ts";
import type { ModelToSend } from "../../submit/models.ts";
import { type LabeledRow, labeledLines } from "../../terminal/labels.ts";
import { plainLine } from "../../terminal/plain-text.ts";
import { exactSizeText } from "../../terminal/size.ts";
import { slotsText } from "../../terminal/slots-text.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { type CodePlan, codeLines } from "./code-plan.ts";
import { environmentRows } from "./environment-rows.ts";
import { runRows } from "./run-rows.ts";

/** The answer of --dry-run: everything that would be sent, and the checks that passed. */
export interface Plan {
  broker: string;
  challenge: string;
  round: string | null;
  message: string | null;
  input: {
    kind: "file" | "json" | "code";
    name: string | null;
    size: number;
    /** Of the bytes; of code, the git object name of its tree. */
    sha256: string;
    way: "message" | "upload" | "push";
  };
  /** How the code would be run; null when the challenge runs none. */
  run: (NonNullable<PublicChallenge["run"]> & { command: string[] }) | null;
  /** How the agent would play; null when the challenge has no environment. */
  environment: (NonNullable<PublicChallenge["environment"]> & { command: string[] }) | null;
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
  offered: InputDescription | { kind: "code"; name: null; size: number };
  sha256: string;
  code: CodePlan | null;
  /** The command that would be run. */
  command?: readonly string[];
  models?: readonly ModelToSend[];
  /** The rules of the challenge's own check that the input passed. */
  checks?: readonly string[];
}

/** Returns the plan of a submission. Throws what checkInput throws. */
export async function makePlan(facts: PlanFacts): Promise<Plan> {
  const { broker, challenge, round, message, limits, offered, sha256, code, models = [] } = facts;
  const { kind, name, size } = offered;
  const way = kind === "code" ? "push" : kind === "json" && size <= MAX_INLINE_BYTES ? "message" : "upload";
  const { run, environment } = challenge;
  const command = (own: readonly string[] | null) => [...(own ?? facts.command ?? [])];
  return {
    broker,
    challenge: challenge.id,
    round: round?.id ?? null,
    message: message ?? null,
    input: { kind, name, size, sha256, way },
    run: run && { ...run, command: command(run.command) },
    environment: environment && { ...environment, command: command(environment.command) },
    code,
    models: models.map(({ name, source }) => ({ name, size: source.size, sha256: source.sha256 })),
    checks: [
      round ? `round "${round.id}" is open` : "the challenge accepts submissions after its end",
      ...(offered.kind === "code"
        ? [environment ? "the challenge takes agents as code" : "the challenge runs code"]
        : await checkInput(challenge, offered)),
      ...(facts.checks ?? []),
    ],
    limits,
  };
}

export function planLines(plan: Plan, { style, symbols }: Pick<Terminal, "style" | "symbols">): string[] {
  const { kind, name, size, sha256, way } = plan.input;
  const rows: LabeledRow[] = [
    ["Broker", plan.broker],
    ["Challenge", plan.round === null ? plan.challenge : `${plan.challenge}, round ${plan.round}`],
    ["Input", `${inputName(kind, name)}, ${exactSizeText(size)}`],
    [kind === "code" ? "Tree" : "SHA-256", sha256],
    ["Sent as", WAYS[way]],
    ...(plan.run ? runRows(plan.run) : []),
    ...(plan.environment ? environmentRows(plan.environment, "code") : []),
    ...plan.models.map(
      (model) =>
        ["Model", `${plainLine(model.name)}, ${exactSizeText(model.size)}\nSHA-256 ${model.sha256}`] as const,
    ),
    ["Message", plan.message === null ? null : plainLine(plan.message)],
    ["Code", codeLines(plan.code).join("\n")],
    ["Checks", plan.checks.map((check) => `${style.green(symbols.done)} ${check}`).join("\n")],
    ["Submissions left", plan.limits ? slotsText(plan.limits) : "unknown"],
  ];
  return ["Dry run. Nothing was sent.", ...labeledLines(rows, style)];
}

const WAYS = {
  upload: "an upload to the object store",
  message: "part of the submission message",
  push: "a git push to the broker",
};

function inputName(kind: Plan["input"]["kind"], name: string | null): string {
  if (kind === "code") return "the code";
  return kind === "file" ? plainLine(name ?? "") : "JSON value";
}
