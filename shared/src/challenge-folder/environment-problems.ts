import { quoted } from "../protocol/suggest.ts";
import { type ConfigProblem, shown } from "./config-problems.ts";
import { PORTED_KINDS } from "./ported-problems.ts";

type Raw = Record<string, unknown>;
type Found = Omit<ConfigProblem, "file">;

/**
 * Finds fields that contradict `environment`, which makes an agent the submission. Skips fields of the wrong
 * type.
 */
export function environmentProblems(config: Raw): Found[] {
  const environment = object(config.environment);
  const agents = list(environment.agents ?? ["code", "remote"]);
  return [
    ...evaluatorProblems(config.evaluator, environment.gym),
    ...acceptsProblems(object(config.accepts), agents),
    ...agentProblems(environment, agents),
    ...(isObject(config.run)
      ? [{ field: "run", expected: "no such field, because agents of an environment are not run on input" }]
      : []),
  ];
}

/** Finds an evaluator that is an environment in a challenge without one. */
export function missingEnvironment({ evaluator }: Raw): Found[] {
  const { mode, gym } = object(evaluator);
  if (mode !== "environment" && gym === undefined) return [];
  return [{ field: "environment", expected: "settings of the environment, which may be {}", got: "none" }];
}

function evaluatorProblems(evaluator: unknown, gym: unknown): Found[] {
  if (!isObject(evaluator)) return [];
  const { functions, mode } = evaluator;
  const problems: Found[] = [];
  const kind = ["python_class", "job_factory", ...PORTED_KINDS].find((name) => evaluator[name] !== undefined);
  if (typeof gym === "string" && evaluator.gym !== gym)
    problems.push({
      field: "evaluator",
      expected: `no evaluator besides environment.gym, or {"gym": ${quoted(gym)}} with its settings`,
      got: shown(evaluator),
    });
  else if (kind)
    problems.push({
      field: "evaluator",
      expected: 'an environment: {"gym": …}, or {"command": …, "mode": "environment"}',
      got: quoted(kind),
    });
  else if (evaluator.command !== undefined && mode !== "environment")
    problems.push({
      field: "evaluator.mode",
      expected: '"environment", because the challenge has environment',
      got: mode === undefined ? '"batch", the default' : shown(mode),
    });
  const other = list(functions).find((name) => typeof name === "string" && name !== "submit");
  if (other !== undefined)
    problems.push({
      field: "evaluator.functions",
      expected: '"submit" alone, because a challenge with environment takes agents alone',
      got: quoted(other as string),
    });
  return problems;
}

function acceptsProblems(accepts: Raw, agents: unknown[]): Found[] {
  const problems: Found[] = ["file", "json"]
    .filter((kind) => accepts[kind] !== undefined)
    .map((kind) => ({
      field: `accepts.${kind}`,
      expected: "no such field, because a challenge with environment takes agents alone",
    }));
  if (accepts.code !== undefined && !agents.includes("code"))
    problems.push({
      field: "accepts.code",
      expected: 'no such field, because environment.agents has no "code"',
    });
  return problems;
}

function agentProblems({ old_clients }: Raw, agents: unknown[]): Found[] {
  const problems: Found[] = [];
  const twice = agents.find((name, index) => agents.indexOf(name) !== index);
  if (twice !== undefined)
    problems.push({ field: "environment.agents", expected: "each kind once", got: `${shown(twice)} twice` });
  if (isObject(old_clients) && !agents.includes("remote"))
    problems.push({
      field: "environment.old_clients",
      expected: 'no such field, because environment.agents has no "remote"',
    });
  return problems;
}

const isObject = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Raw => (isObject(value) ? value : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
