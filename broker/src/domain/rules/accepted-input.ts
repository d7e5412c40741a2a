import { extname } from "node:path";
import { CrowdaiError, checkValue, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

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
  const accepted = config.run
    ? ["code"]
    : (["file", "json"] as const).filter((one) => config.accepts[one] !== undefined);
  if (accepted.includes(kind === "inline" ? "json" : kind)) return;
  const refused = kind === "file" ? "files" : kind === "code" ? "code alone" : "JSON values";
  throw new CrowdaiError(
    "kind_not_accepted",
    config.run
      ? `${config.id} runs submitted code; it accepts code submissions, not ${refused}.`
      : `${config.id} accepts ${accepted.join(" or ")} submissions, not ${refused}.`,
    {
      ...(config.run && { next: `Submit your code: crowdai submit --code -c ${config.id}` }),
      details: { accepts: accepted },
    },
  );
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

/** Checks a submitted JSON value against the challenge's schema. Throws value_schema. */
export function requireAcceptedValue(config: ChallengeConfig, value: unknown): void {
  checkValue(value, config.accepts.json?.schema);
}
