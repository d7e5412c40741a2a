import type { Manifest } from "./manifest.ts";

/**
 * Returns what keeps packages from being released together: versions that differ, a version without an entry
 * in the changelog.
 */
export function versionProblems(manifests: readonly Manifest[], changelog: string): string[] {
  const versions = new Set(manifests.map(({ version }) => version));
  if (versions.size > 1)
    return [`versions differ: ${manifests.map(({ name, version }) => `${name} ${version}`).join(", ")}`];
  const [version = ""] = versions;
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return [`"${version}" is not a semantic version`];
  const hasEntry = changelog.split("\n").some((line) => line.startsWith(`## [${version}] - `));
  return hasEntry ? [] : [`CHANGELOG.md has no entry "## [${version}] - <date>"`];
}

/**
 * Returns what is missing or wrong in a package.json. The addresses of the project are those of the
 * workspace's own.
 */
export function manifestProblems(manifest: Manifest, folder: string, workspace: Manifest): string[] {
  const { name, exports, dependencies = {} } = manifest;
  const problems: string[] = [];
  const require = (holds: unknown, problem: string) => holds || problems.push(`${name}: ${problem}`);
  require(!manifest.private, "is private");
  for (const field of ["description", "keywords", "engines", "files"] as const)
    require(manifest[field] && Object.keys(manifest[field]).length > 0, `package.json has no ${field}`);
  for (const field of ["license", "homepage", "bugs"] as const)
    require(manifest[field] === workspace[field], `${field} differs from the workspace's`);
  require(manifest.repository?.url === workspace.repository?.url, "repository differs from the workspace's");
  require(manifest.repository?.directory === folder, `repository.directory is not "${folder}"`);
  const entry = exports?.["."];
  require(typeof entry === "object" && entry.types && entry.default, 'exports["."] lacks types or default');
  for (const [dependency, range] of Object.entries(dependencies)) {
    const inRegistry = !/^(file|link|workspace|git\S*|https?):|^\*?$/.test(range);
    require(inRegistry, `depends on ${dependency} "${range}", which no registry resolves`);
    require(!dependency.startsWith("@crowdai/"), `depends on ${dependency}, which has to be bundled`);
  }
  return problems;
}
