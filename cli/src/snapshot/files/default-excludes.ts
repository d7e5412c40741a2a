import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Left out where no git says what belongs to a project. A .gitignore there can take them in again. */
export const DEFAULT_EXCLUDES: readonly string[] = [
  "node_modules/",
  ".venv/",
  "venv/",
  "__pycache__/",
  "*.pyc",
  ".ipynb_checkpoints/",
  ".pytest_cache/",
  ".mypy_cache/",
  ".ruff_cache/",
  ".tox/",
  ".cache/",
  ".DS_Store",
  ".hg/",
  ".svn/",
  ".idea/",
];

export function writeDefaults(scratch: string): string {
  const file = join(scratch, "default-excludes");
  writeFileSync(file, `${DEFAULT_EXCLUDES.join("\n")}\n`);
  return file;
}
