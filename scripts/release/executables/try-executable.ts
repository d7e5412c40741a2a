import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../lib/root.ts";
import { readManifest } from "../manifest.ts";
import { ownTarget, type Target } from "./targets.ts";

/** Runs the executable of this machine's platform, if it was made. Returns what is wrong with it, or null. */
export function tryExecutable(folder: string, missing: readonly Target[]): string | null {
  const target = ownTarget();
  if (!target || missing.includes(target)) return null;
  const { version } = readManifest(join(root, "cli"));
  try {
    const printed = execFileSync(join(folder, target.file), ["--version"], { encoding: "utf8" }).trim();
    return printed === version ? null : `${target.file} --version prints ${printed}, not ${version}`;
  } catch (error) {
    return `${target.file} --version failed: ${(error as Error).message}`;
  }
}
