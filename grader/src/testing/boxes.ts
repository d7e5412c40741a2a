import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeInheritedFiles } from "@crowdai/shared/close-inherited-files";
import type { SandboxName } from "@crowdai/shared/sandbox-names";
import type { Sandbox } from "../box/sandbox.ts";
import { findControlGroups } from "../confinement/control-groups.ts";
import { openSandbox } from "../jobs/open-sandbox.ts";

/**
 * Opens boxes for tests. Returns null, with the reason on the terminal, when this machine has none of the
 * kind.
 */
export async function openTestSandbox(
  name: SandboxName = "bubblewrap",
): Promise<(Sandbox & Disposable) | null> {
  // As graders do at their start.
  closeInheritedFiles();
  const folder = mkdtempSync(join(tmpdir(), "crowdai-boxes-"));
  const sandbox = await openSandbox(name, { folder, groups: await findControlGroups() });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (!("missing" in sandbox)) return { ...sandbox, [Symbol.dispose]: remove };
  remove();
  console.warn(`NOT TESTED: boxes of ${name}, because ${sandbox.missing}`);
  return null;
}
