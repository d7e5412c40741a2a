import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

export interface PackedPackage {
  name: string;
  version: string;
  /** Path of the tarball. */
  tarball: string;
  size: number;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

/**
 * Packs the package in `folder` as `npm publish` would, without running its scripts. Writes the tarball to
 * `destination`.
 */
export async function packPackage(folder: string, destination: string): Promise<PackedPackage> {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: folder, maxBuffer: 16 * 1024 * 1024 });
  const [{ name, version, filename, size, unpackedSize, files }] = JSON.parse(stdout);
  return { name, version, tarball: join(destination, filename), size, unpackedSize, files };
}
