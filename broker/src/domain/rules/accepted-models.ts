import { CrowdaiError, type Intent, lineProblem, quoted } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

/** Checks the announced models before any byte is accepted. Throws model_refused. */
export function requireAcceptedModels(
  { id, accepts: { model: rule } }: Pick<ChallengeConfig, "id" | "accepts">,
  { models, function: called, dry_run }: Pick<Intent, "models" | "function" | "dry_run">,
): void {
  if (models.length === 0) return;
  if (called !== "submit" || dry_run)
    throw new CrowdaiError("model_refused", "Models can be sent with submissions only.");
  if (!rule) throw new CrowdaiError("model_refused", `${id} does not accept models.`);
  for (const { name, size } of models)
    if (size > rule.max_bytes)
      throw new CrowdaiError(
        "model_refused",
        `The model ${JSON.stringify(name)} has ${size} bytes; ${id} accepts at most ${rule.max_bytes}.`,
        { details: { name, size, max_bytes: rule.max_bytes } },
      );
  const names = models.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new CrowdaiError("model_refused", `Two models are named ${JSON.stringify(twice)}.`, {
      next: "Give each model a different name.",
      details: { name: twice },
    });
  const odd = names.find((name) => !isPlain(name));
  if (odd !== undefined)
    throw new CrowdaiError("model_refused", `${quoted(odd)} is not a valid model name.`, {
      next: "Use a file name without folders and control characters.",
      details: { name: odd },
    });
}

/** Returns whether a name is a valid file name on every platform. */
function isPlain(name: string): boolean {
  return lineProblem(name) === null && !/[/\\]/.test(name) && !/^\.*$/.test(name);
}
