import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** Returns the licenses of the packages whose files are in a bundle, as they require. */
export async function notices(inputs: readonly string[]): Promise<string> {
  const folders = new Set<string>();
  for (const input of inputs) {
    const match = input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/);
    if (match) folders.add(match[0]);
  }
  const parts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const path = resolve(folder);
      const { name, version, license } = JSON.parse(await readFile(join(path, "package.json"), "utf8"));
      const file = (await readdir(path)).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file ? await readFile(join(path, file), "utf8") : "";
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    }),
  );
  return `This package contains code of the following packages.\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
}
