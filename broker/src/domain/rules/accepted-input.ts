import { extname } from "node:path";
import { CrowdaiError, checkValue, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { checkFailed } from "@crowdai/shared/check";
import { checkJson } from "@crowdai/shared/check-json";

/** Checks the announced size, extension and kind before any byte is accepted. */
export function requireAcceptedInput(config: ChallengeConfig, input: Intent["input"], size: number): void {
  requireKind(config, input.kind);
  const rule = input.kind === "file" ? config.accepts.file : config.accepts.json;
  if (!rule) return;
  if (size > rule.max_bytes) {
    const what = input.kind === "file" ? `The file has ${size} bytes` : `The value has ${size} bytes of JSON`;
    throw new CrowdaiError(
      input.kind === "file" ? "file_too_large" : "value_too_large",
      `${what}; ${config.id} accepts at most ${rule.max_bytes}.`,
      { details: { size, max_bytes: rule.max_bytes } },
    );
  }
  if (input.kind === "file" && config.accepts.file)
    requireExtension(config.accepts.file.extensions, input.name);
}

/** Throws kind_not_accepted unless the challenge takes this kind of input. */
export function requireKind(config: ChallengeConfig, kind: Intent["input"]["kind"]): void {
  const accepted = acceptedKinds(config);
  if (accepted.includes(kind === "inline" ? "json" : kind)) return;
  const next = nextFor(config);
  throw new CrowdaiError("kind_not_accepted", refusalOf(config, kind, accepted), {
    ...(next && { next }),
    details: { accepts: accepted },
  });
}

function acceptedKinds({ run, environment, accepts }: ChallengeConfig): string[] {
  if (run) return ["code"];
  if (environment) return environment.agents.map((agent) => (agent === "code" ? "code" : "session"));
  return (["file", "json"] as const).filter((one) => accepts[one] !== undefined);
}

const REFUSED = {
  file: "files",
  json: "JSON values",
  inline: "JSON values",
  code: "code alone",
  session: "sessions of remote agents",
} as const;

function refusalOf(config: ChallengeConfig, kind: Intent["input"]["kind"], accepted: string[]): string {
  const { id, run, environment } = config;
  if (run) return `${id} runs submitted code; it accepts code submissions, not ${REFUSED[kind]}.`;
  if (environment)
    return `${id} has an environment that agents step; it accepts ${environment.agents.join(" and ")} agents, not ${
      kind === "session" ? "remote agents" : kind === "code" ? "code agents" : REFUSED[kind]
    }.`;
  if (kind === "session")
    return `${id} has no environment to step; it accepts ${accepted.join(" or ")} submissions.`;
  return `${id} accepts ${accepted.join(" or ")} submissions, not ${REFUSED[kind]}.`;
}

function nextFor({ id, run, environment }: ChallengeConfig): string | null {
  if (run) return `Submit your code: crowdai submit --code -c ${id}`;
  if (!environment) return null;
  const ways = {
    code: `Submit the code of your agent: crowdai submit --code -c ${id}`,
    remote: `Run your agent here: crowdai run -c ${id} <command>`,
  };
  return `${environment.agents.map((agent) => ways[agent]).join(". ")}.`;
}

function requireExtension(accepted: string[], name: string | null): void {
  if (accepted.length === 0) return;
  const lower = (name ?? "").toLowerCase();
  if (accepted.some((extension) => lower.endsWith(extension.toLowerCase()))) return;
  throw new CrowdaiError(
    "file_extension",
    `The file's extension is ${extname(lower) ? `"${extname(lower)}"` : "missing"}; accepted: ${accepted.join(", ")}.`,
    { details: { accepted } },
  );
}

/**
 * Checks a submitted JSON value against the schema of what the challenge accepts, and of its check. Throws
 * value_schema and check_failed. Where failing the check costs a slot, a grader finds it.
 */
export function requireAcceptedValue(
  { id, accepts, check }: ChallengeConfig,
  value: unknown,
  called: string,
): void {
  checkValue(value, accepts.json?.schema);
  const isTrial = called === check?.function;
  if (!check?.schema || !(isTrial || (called === "submit" && !check.charge))) return;
  const found = checkJson(value, check.schema);
  if (found.total > 0) throw checkFailed("The value", id, found);
}
