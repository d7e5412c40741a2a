import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedFiles } from "../config/embedded-files.ts";

let unpacked: string | undefined;

/** Returns the folder of the files that connect an agent: in the package, or among the sources. */
export async function agentFolder(): Promise<string> {
  const load = embeddedFiles();
  if (load) {
    unpacked ??= unpack(await load());
    return unpacked;
  }
  const packaged = fileURLToPath(new URL("./agent", import.meta.url));
  return existsSync(packaged)
    ? packaged
    : fileURLToPath(new URL("../../../grader/src/environment/agent", import.meta.url));
}

/** Writes the files of an executable where agents can read them, until this process exits. */
function unpack(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-agent-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
