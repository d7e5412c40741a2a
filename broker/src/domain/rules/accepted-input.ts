import { extname } from "node:path";
import { CrowdaiError, checkValue, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/** Checks the announced size, extension and kind before any byte is accepted. */
export function requireAcceptedInput(config: ChallengeConfig, input: Intent["input"], size: number): void {
  const rule = input.kind === "file" ? config.accepts.file : config.accepts.json;
  const accepted = Object.keys(config.accepts).filter((kind) => kind === "file" || kind === "json");
  if (!rule)
    throw new CrowdaiError(
      "kind_not_accepted",
      `${config.id} accepts ${accepted.join(" or ")} submissions, not ${input.kind === "file" ? "files" : "JSON values"}.`,
      { details: { accepts: accepted } },
    );
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
