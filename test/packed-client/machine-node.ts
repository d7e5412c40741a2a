import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { findAllOnPath } from "../../scripts/lib/find-program.ts";

export interface MachineNode {
  node: string;
  version: string;
  /** A path on which that `node` and its `npm` come first, and nothing of this workspace is found. */
  path: string;
}

/**
 * The first Node.js on the path that is the machine's own, not an npm package's, and that the client
 * supports.
 */
export function findMachineNode(path: string = process.env.PATH ?? ""): MachineNode | null {
  const outside = path.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  for (const node of findAllOnPath("node", outside.join(delimiter))) {
    if (realpathSync(node).includes("node_modules")) continue;
    const versions = JSON.parse(
      execFileSync(node, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }),
    );
    // Where there is no Node.js, `bun run` puts itself on the path under its name.
    if (versions.bun || !isSupported(versions.node)) continue;
    return { node, version: versions.node, path: [dirname(node), ...outside].join(delimiter) };
  }
  return null;
}

/** 20.19, 22.12 or newer. */
function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major === 20 ? minor >= 19 : major > 20;
}
