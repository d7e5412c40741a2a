import { CrowdaiError, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

const DEFAULT_MAX_BYTES = 50 * 1024 * 1024;
/** Maximum number of files in a snapshot. */
export const MAX_CODE_FILES = 200_000;

/** Returns the maximum total size of a snapshot's files, in bytes. */
export function maxCodeBytes(config: ChallengeConfig): number {
  return config.accepts.code?.max_bytes ?? DEFAULT_MAX_BYTES;
}

/** Returns whether code belongs to an intent. Code that is announced with a call or a dry run is ignored. */
export function carriesCode(intent: Pick<Intent, "function" | "dry_run">): boolean {
  return intent.function === "submit" && !intent.dry_run;
}

/**
 * Checks the announced code before any of it is accepted. Throws code_off, code_required, code_too_large and
 * code_unfit.
 */
export function requireAcceptedCode(config: ChallengeConfig, intent: Intent): void {
  if (!carriesCode(intent)) return;
  const { code } = intent;
  const isInput = intent.input.kind === "code";
  if (!code) {
    // Old clients of environments cannot send any.
    if (!isInput && (config.code.capture !== "required" || intent.input.kind === "session")) return;
    throw new CrowdaiError("code_required", `${config.id} requires the code with every submission.`);
  }
  if (config.code.capture === "off" && !isInput)
    throw new CrowdaiError("code_off", `${config.id} does not accept code.`);
  if (code.commit.length !== 40 || code.tree.length !== 40)
    throw new CrowdaiError(
      "code_unfit",
      "The snapshot uses SHA-256 object names; the broker's repositories use SHA-1.",
      {
        next: "Take the snapshot in a repository with the SHA-1 object format.",
      },
    );
  const maxBytes = maxCodeBytes(config);
  if (code.bytes > maxBytes)
    throw new CrowdaiError(
      "code_too_large",
      `The code has ${code.bytes} bytes; ${config.id} accepts at most ${maxBytes}.`,
      {
        details: { size: code.bytes, max_bytes: maxBytes },
      },
    );
  if (code.files > MAX_CODE_FILES)
    throw new CrowdaiError(
      "code_too_large",
      `The code has ${code.files} files; at most ${MAX_CODE_FILES} are accepted.`,
      {
        details: { files: code.files, max_files: MAX_CODE_FILES },
      },
    );
}
