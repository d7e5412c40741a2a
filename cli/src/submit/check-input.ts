import { CrowdaiError, type PublicChallenge } from "@crowdai/shared";
import { exactSizeText } from "../terminal/size.ts";

/** An input as far as the rules of a challenge need to know it. `value` is set for a JSON value. */
export interface InputDescription {
  kind: "file" | "json";
  name: string | null;
  size: number;
  value?: unknown;
}

/** A sentence that describes a passed check. */
export type PassedCheck = string;

/**
 * Checks an input against the rules of the challenge, before any of it is sent. Throws kind_not_accepted,
 * file_extension, file_too_large, value_too_large or value_schema.
 */
export async function checkInput(
  challenge: PublicChallenge,
  offered: InputDescription,
): Promise<PassedCheck[]> {
  if (challenge.run || challenge.environment) throw runsCode(challenge);
  return offered.kind === "file" ? checkFile(challenge, offered) : checkJson(challenge, offered);
}

function checkFile({ id, accepts }: PublicChallenge, { name, size }: InputDescription): PassedCheck[] {
  const rule = accepts.file;
  if (!rule)
    throw new CrowdaiError("kind_not_accepted", `${id} accepts JSON values, not files.`, {
      next: "Use --json. `crowdai challenge` shows what the challenge accepts.",
    });
  const accepted = rule.extensions.join(", ");
  if (!hasExtension(name, rule.extensions))
    throw new CrowdaiError(
      "file_extension",
      `${name ?? "The input"} has the wrong extension; ${id} accepts ${accepted}.`,
      {
        details: { name, extensions: rule.extensions },
      },
    );
  if (size > rule.max_bytes)
    throw new CrowdaiError(
      "file_too_large",
      `${name ?? "The input"} is ${exactSizeText(size)}; ${id} accepts at most ${exactSizeText(rule.max_bytes)}.`,
      {
        details: { size, max_bytes: rule.max_bytes },
      },
    );
  return [
    accepted ? `the extension is one of ${accepted}` : "any extension is accepted",
    `the size is at most ${exactSizeText(rule.max_bytes)}`,
  ];
}

async function checkJson(
  { id, accepts }: PublicChallenge,
  { size, value }: InputDescription,
): Promise<PassedCheck[]> {
  const rule = accepts.json;
  if (!rule)
    throw new CrowdaiError("kind_not_accepted", `${id} accepts files, not JSON values.`, {
      next: "Write the value to a file. `crowdai challenge` shows what the challenge accepts.",
    });
  if (size > rule.max_bytes)
    throw new CrowdaiError(
      "value_too_large",
      `The value is ${exactSizeText(size)} of JSON; ${id} accepts at most ${exactSizeText(rule.max_bytes)}.`,
      {
        details: { size, max_bytes: rule.max_bytes },
      },
    );
  if (rule.schema !== true && rule.schema != null) {
    const { checkValue } = await import("@crowdai/shared/check-value");
    checkValue(value, rule.schema);
  }
  return [
    "the value matches the schema of the challenge",
    `the size is at most ${exactSizeText(rule.max_bytes)}`,
  ];
}

/** Whether a file name has one of the extensions; an empty list accepts any. */
export function hasExtension(name: string | null, extensions: readonly string[]): boolean {
  if (extensions.length === 0) return true;
  const lower = (name ?? "").toLowerCase();
  return extensions.some((extension) => lower.endsWith(extension.toLowerCase()));
}

/**
 * The error of a file or value for a challenge that runs the code itself, or whose environment agents step.
 */
export function runsCode({ id, environment }: PublicChallenge): CrowdaiError {
  if (environment)
    return new CrowdaiError("kind_not_accepted", `${id} takes agents. It accepts no files and no values.`, {
      next: agentsText(environment.agents),
    });
  return new CrowdaiError("kind_not_accepted", `${id} runs your code. It accepts no files and no values.`, {
    next: "Submit with `crowdai submit --code`, without a file.",
  });
}

/** Throws kind_not_accepted unless graders run the code that is submitted. */
export function requireCodeAccepted({ id, run, environment }: PublicChallenge): void {
  if (run || environment?.agents.includes("code")) return;
  throw environment
    ? new CrowdaiError(
        "kind_not_accepted",
        `${id} takes no code: its agents step the environment remotely.`,
        {
          next: agentsText(environment.agents),
        },
      )
    : new CrowdaiError("kind_not_accepted", `${id} does not run code.`, {
        next: "Submit a file or a value.",
      });
}

function agentsText(agents: NonNullable<PublicChallenge["environment"]>["agents"]): string {
  const ways = {
    remote: "Run your agent here with `crowdai run <command>`.",
    code: "Submit its code with `crowdai submit --code`, without a file.",
  };
  return agents.map((agent) => ways[agent]).join(" ");
}
