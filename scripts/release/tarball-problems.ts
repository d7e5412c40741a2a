import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";
import type { PackedPackage } from "./pack.ts";

/** With the libraries that a package bundles, which npm would install beside it otherwise. */
const MAX_PACKED_BYTES = 1.5 * 1024 * 1024;
const MAX_FILE_BYTES = 2 * 1024 * 1024;
const UNWANTED =
  /\.(test|contract)\.|(^|\/)(src|test|testing|node_modules)\/|\.map$|\.tsx?$(?<!\.d\.ts)|(^|\/)\.|tsconfig/;

/** Returns what a tarball lacks, what it must not contain, and whether it is too large. */
export function tarballProblems(
  packed: PackedPackage,
  manifest: Manifest,
  folder: string,
  workspaceFolder: string,
): string[] {
  const paths = new Set(packed.files.map(({ path }) => path));
  const problems: string[] = [];
  const report = (problem: string) => problems.push(`${packed.name}: ${problem}`);
  for (const path of ["README.md", "LICENSE", ...entries(manifest)])
    if (!paths.has(path)) report(`the tarball lacks ${path}`);
  if (paths.has("LICENSE") && read(folder, "LICENSE") !== read(workspaceFolder, "LICENSE"))
    report("LICENSE differs from the workspace's");
  for (const { path, size } of packed.files) {
    if (UNWANTED.test(path)) report(`the tarball contains ${path}`);
    if (size > MAX_FILE_BYTES) report(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
    if (/\.(js|ts|json)$/.test(path) && read(folder, path).includes(workspaceFolder))
      report(`${path} contains a path of this machine`);
  }
  if (packed.size > MAX_PACKED_BYTES)
    report(`the tarball has ${packed.size} bytes, more than ${MAX_PACKED_BYTES}`);
  return problems;
}

/** The files that package.json names. */
function entries({ bin = {}, exports = {} }: Manifest): string[] {
  const exported = Object.values(exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry),
  );
  return [...Object.values(bin), ...exported].map((path) => path.replace(/^\.\//, ""));
}

const read = (folder: string, path: string) => readFileSync(join(folder, path), "utf8");
