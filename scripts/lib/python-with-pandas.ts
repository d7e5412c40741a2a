import { spawnSync } from "node:child_process";

/**
 * Returns a Python interpreter that finds pandas; Debian's package is seen by /usr/bin/python3 alone. Null
 * when there is none.
 */
export function pythonWithPandas(): string | null {
  const asks = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pandas') is None)";
  const finds = (program: string) => spawnSync(program, ["-c", asks], { stdio: "ignore" }).status === 0;
  return ["python3", "/usr/bin/python3"].find(finds) ?? null;
}
