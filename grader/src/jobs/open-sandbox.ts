import type { SandboxName } from "@crowdai/shared/sandbox-names";
import { openBubblewrap } from "../box/bubblewrap/bubblewrap.ts";
import { openOci } from "../box/oci/oci.ts";
import type { RuntimeName } from "../box/oci/runtimes.ts";
import type { Sandbox } from "../box/sandbox.ts";
import type { ControlGroups } from "../confinement/control-groups.ts";

const NO_MEMORY_LIMIT =
  "the kernel limits no memory below the grader's control group, because other processes are in that group (start the grader alone " +
  "in a delegated one)";

/** Opens the sandbox of a name, and no other. Returns why not when something that it needs is missing. */
export function openSandbox(
  name: SandboxName,
  options: { folder: string; groups: ControlGroups | null },
): Promise<Sandbox | { missing: string }> {
  // The self-test would use all memory of the machine.
  if (options.groups?.limitsMemory === false) return Promise.resolve({ missing: NO_MEMORY_LIMIT });
  if (name === "bubblewrap") return openBubblewrap(options);
  return openOci({ ...options, runtime: name.slice("oci:".length) as RuntimeName });
}
