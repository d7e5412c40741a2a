import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { BytePath } from "../../git/byte-path.ts";
import type { LeftOut } from "./left-out.ts";

/** Finds pipes, sockets and devices in the folders of the given files. Git skips them silently. */
export function findSpecial(root: string, paths: Iterable<BytePath>): LeftOut[] {
  const folders = new Set<string>([""]);
  for (const path of paths)
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return [...folders].flatMap((folder) => {
    try {
      const entries = readdirSync(join(root, Buffer.from(folder, "latin1").toString()), {
        withFileTypes: true,
      });
      return entries
        .filter((entry) => !entry.isFile() && !entry.isDirectory() && !entry.isSymbolicLink())
        .filter(
          (entry) => entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice(),
        )
        .map((entry) => ({
          path: `${folder === "" ? "" : `${folder}/`}${Buffer.from(entry.name).toString("latin1")}`,
          reason: "a pipe, socket or device",
        }));
    } catch {
      return [];
    }
  });
}
