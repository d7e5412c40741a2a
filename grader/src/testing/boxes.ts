import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeInheritedFiles } from "@crowdai/shared/close-inherited-files";
import { openBubblewrap } from "../box/bubblewrap/bubblewrap.ts";
import type { Sandbox } from "../box/sandbox.ts";
import { findControlGroups } from "../confinement/control-groups.ts";

/** The boxes of this machine for tests; null, with the reason on the terminal, when it has none. */
export async function openTestSandbox(): Promise<(Sandbox & Disposable) | null> {
  // As graders do at their start.
  closeInheritedFiles();
  const folder = mkdtempSync(join(tmpdir(), "crowdai-boxes-"));
  const sandbox = await openBubblewrap({ folder, groups: await findControlGroups() });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (!("missing" in sandbox)) return { ...sandbox, [Symbol.dispose]: remove };
  remove();
  console.warn(`NOT TESTED: boxes, because ${sandbox.missing}`);
  return null;
}
