import { CrowdaiError, type Intent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/**
 * Checks what graders are asked to run, before any of the code arrives. Throws usage for a dry run, which
 * only the client makes, and code_invalid without a command where each participant names it. A session has no
 * dry run either.
 */
export function requireAcceptedRun(
  { id, run, environment }: Pick<ChallengeConfig, "id" | "run" | "environment">,
  intent: Pick<Intent, "input" | "dry_run" | "function">,
): void {
  const { input, dry_run } = intent;
  if (environment) requirePlayed(id, intent);
  const program = run ?? environment?.code;
  if (!program || input.kind !== "code") return;
  if (dry_run)
    throw new CrowdaiError("usage", `${id} runs submitted code, and the broker has no dry run of it.`, {
      next: "Use `crowdai submit --code --dry-run`, which shows what would run and sends nothing.",
    });
  if (program.command !== "submission") return;
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

/** An environment is stepped for a grade. There are no other sessions. */
function requirePlayed(
  id: string,
  { input, dry_run, function: name }: Parameters<typeof requireAcceptedRun>[1],
) {
  if (name !== "submit")
    throw new CrowdaiError(
      "usage",
      `Agents play ${id} with the function "submit", not "${name.slice(0, 100)}".`,
    );
  if (dry_run && input.kind === "session")
    throw new CrowdaiError("usage", `${id} has no dry run of a session.`, {
      next: "Try your agent on the public part of the challenge, with `crowdai-grader try`.",
    });
}
