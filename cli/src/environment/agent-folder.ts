import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Returns the folder of the files that connect an agent: in the package, or among the sources. */
export function agentFolder(): string {
  const packaged = fileURLToPath(new URL("./agent", import.meta.url));
  return existsSync(packaged)
    ? packaged
    : fileURLToPath(new URL("../../../grader/src/environment/agent", import.meta.url));
}
