import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Manifest, PUBLISHED, readManifest } from "./manifest.ts";
import { manifestProblems, versionProblems } from "./manifest-problems.ts";
import { type PackedPackage, packPackage } from "./pack.ts";
import { tarballProblems } from "./tarball-problems.ts";

export interface ReleaseOptions {
  /** The folder of the workspace, with everything built. */
  root: string;
  dryRun: boolean;
  /** Whether the registry has this version of the package. */
  isPublished(name: string, version: string): Promise<boolean>;
  pack?: typeof packPackage;
  publish(tarball: string): Promise<void>;
  print(line: string): void;
}

/**
 * Checks the packages, prints what it publishes, and publishes it unless this is a dry run. Nothing is
 * published when one check of one package fails. Resolves to the exit code.
 */
export async function release({
  root,
  dryRun,
  isPublished,
  pack = packPackage,
  publish,
  print,
}: ReleaseOptions): Promise<number> {
  const workspace = readManifest(root);
  const packages = PUBLISHED.map((folder) => ({ folder, manifest: readManifest(join(root, folder)) }));
  const tarballs = mkdtempSync(join(tmpdir(), "crowdai-release-"));
  try {
    const problems = versionProblems(
      packages.map(({ manifest }) => manifest),
      readFileSync(join(root, "CHANGELOG.md"), "utf8"),
    );
    const packed: PackedPackage[] = [];
    for (const { folder, manifest } of packages) {
      problems.push(...manifestProblems(manifest, folder, workspace));
      if (await isPublished(manifest.name, manifest.version)) problems.push(alreadyPublished(manifest));
      const tarball = await pack(join(root, folder), tarballs);
      problems.push(...tarballProblems(tarball, manifest, join(root, folder), root));
      packed.push(tarball);
    }
    for (const tarball of packed) print(describe(tarball));
    for (const problem of problems) print(`problem: ${problem}`);
    if (problems.length > 0) {
      print("Nothing was published.");
      return 1;
    }
    if (dryRun) print("Dry run: all checks passed, and nothing was published.");
    else for (const { tarball } of packed) await publish(tarball);
    return 0;
  } finally {
    rmSync(tarballs, { recursive: true });
  }
}

const alreadyPublished = ({ name, version }: Manifest) => `${name} ${version} is already published`;

const describe = ({ name, version, size, unpackedSize, files }: PackedPackage) =>
  `${name} ${version}: ${files.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`;

const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000)} kB`;
