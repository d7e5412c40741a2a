import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { onPath } from "../lib/find-program.ts";

/**
 * Returns the path with the folder of the interpreter itself in front where `python3` is the script of a
 * version manager, which takes several times as long to start: the tests start hundreds of evaluators.
 */
export function pathWithPython(path: string = process.env.PATH ?? ""): string {
  const found = onPath("python3", path);
  if (found === null) return path;
  const asked = spawnSync(found, ["-c", "import sys; print(sys.executable)"], {
    encoding: "utf8",
    env: { ...process.env, PATH: path },
  });
  const interpreter = asked.status === 0 ? asked.stdout.trim() : "";
  if (interpreter === "" || realpathSync(interpreter) === realpathSync(found)) return path;
  return [dirname(interpreter), path].join(delimiter);
}
