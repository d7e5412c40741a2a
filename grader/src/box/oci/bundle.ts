import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { undoOnError } from "../undo-on-error.ts";
import type { BoxFolder } from "./box-folder.ts";
import type { ContainerConfig } from "./container-config.ts";

/**
 * Where the runtime finds the bundle, in the namespace of its mounts. Every machine has the folder, and boxes
 * do not see it.
 */
export const BUNDLE = "/mnt";

/** The folder that a runtime makes a box from. */
export interface Bundle {
  /** The name of the container. */
  readonly id: string;
  /** The table of mounts, for `mount --all`. */
  readonly mounts: string;
  remove(): void;
}

interface BundleContent {
  config: ContainerConfig;
  /** The folder that the box can read. */
  boxFolder: BoxFolder;
  links: readonly [target: string, path: string][];
}

/**
 * Writes a bundle. Its root holds nothing but links, and empty files and folders to mount on: those are made
 * here, so that the runtime makes none.
 */
export function createBundle(parent: string, content: BundleContent): Bundle {
  const dir = mkdtempSync(join(parent, "bundle-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  const mounts = undoOnError(remove, () => fillBundle(dir, content));
  return { id: `crowdai-${process.pid}-${basename(dir)}`, mounts, remove };
}

/** Returns the path of the table of mounts. */
function fillBundle(dir: string, content: BundleContent): string {
  const { isFile, mounts } = content.boxFolder;
  // The box's own root passes through it. The folder above is closed.
  chmodSync(dir, 0o755);
  const root = join(dir, "rootfs");
  for (const name of ["rootfs", "state", "pipes"]) mkdirSync(join(dir, name), { mode: 0o755 });
  mkdirSync(join(dir, "closed"), { mode: 0o700 });
  writeFileSync(join(dir, "empty"), "", { mode: 0o644 });
  for (const { destination, type, options } of content.config.mounts) {
    // Below what another mount brings.
    if (/^\/(dev|proc)\//.test(destination)) continue;
    const path = join(root, destination);
    mkdirSync(isFile(destination) ? dirname(path) : path, { recursive: true, mode: 0o755 });
    if (isFile(destination)) writeFileSync(path, "", { mode: 0o644 });
    // runc gives a file system the mode of the folder that it covers.
    else if (type === "tmpfs" && options.includes("mode=1777")) chmodSync(path, 0o1777);
  }
  for (const [target, path] of content.links) symlinkSync(target, join(root, path));
  writeFileSync(join(dir, "config.json"), JSON.stringify(content.config));
  const table = join(dir, "mounts");
  // The bundle first: the mounts of the box cover the folder that it may be in.
  writeFileSync(table, [`${dir} ${BUNDLE} none bind 0 0`, ...mounts, ""].join("\n"));
  return table;
}
