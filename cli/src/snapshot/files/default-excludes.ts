import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Excluded from projects outside git. A .gitignore can include them again. */
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

/** Writes the default patterns to a file that git can read, and returns its path. */
export function writeDefaults(scratch: string): string {
  const file = join(scratch, "default-excludes");
  writeFileSync(file, `${DEFAULT_EXCLUDES.join("\n")}\n`);
  return file;
}
