import { CrowdaiError } from "@crowdai/shared";
import { SANDBOX_NAMES, type SandboxName } from "@crowdai/shared/sandbox-names";

/** Returns the kind of boxes that the environment selects. Throws `usage` when there is no such kind. */
export function sandboxNameOf(env: Readonly<Record<string, string | undefined>>): SandboxName {
  const text = env.CROWDAI_SANDBOX || SANDBOX_NAMES[0];
  const name = SANDBOX_NAMES.find((known) => known === text);
  if (name === undefined)
    throw new CrowdaiError("usage", `CROWDAI_SANDBOX=${text} is not a kind of boxes.`, {
      next: `Set CROWDAI_SANDBOX to one of: ${SANDBOX_NAMES.join(", ")}.`,
    });
  return name;
}
