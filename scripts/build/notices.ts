import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Metafile } from "esbuild";
import { root } from "../lib/root.ts";

/** Returns the licenses of the packages in a bundle, as they require. */
export async function notices(metafile: Metafile): Promise<string> {
  const folders = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const match = input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/);
    if (match) folders.add(match[0]);
  }
  const parts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const path = join(root, relative(root, join(process.cwd(), folder)));
      const { name, version, license } = JSON.parse(await readFile(join(path, "package.json"), "utf8"));
      const file = (await readdir(path)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file ? await readFile(join(path, file), "utf8") : "";
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }),
  );
  return `This package contains code of the following packages.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}
