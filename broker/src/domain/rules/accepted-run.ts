import { CrowdaiError, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/**
 * Checks what graders are asked to run, before any of the code arrives. Throws usage for a dry run, which only the client
 * makes, and code_invalid without a command where each participant names it.
 */
export function requireAcceptedRun(
  { id, run }: Pick<ChallengeConfig, "id" | "run">,
  { input, dry_run }: Pick<Intent, "input" | "dry_run">,
): void {
  if (!run || input.kind !== "code") return;
  if (dry_run)
    throw new CrowdaiError("usage", `${id} runs submitted code, and the broker has no dry run of it.`, {
      next: "Use `crowdai submit --code --dry-run`, which shows what would run and sends nothing.",
    });
  if (run.command !== "submission") return;
  if (input.command === null)
    throw new CrowdaiError(
      "code_invalid",
      `${id} runs the command that each participant names, and there is none.`,
      {
        next: 'Name it in crowdai.json, for example {"code": {"command": ["python3", "main.py"]}}.',
      },
    );
  if (input.command.some((word) => word.includes("\0")))
    throw new CrowdaiError("code_invalid", "A word of the command contains a NUL character.", {
      next: "Fix code.command in crowdai.json.",
    });
}
