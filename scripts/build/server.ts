import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../root.ts";

/**
 * Bundles a server's src/bin.ts into dist/bin.js with the workspace's own packages inside and all others outside, and puts
 * `files` and the bundles of `workers` beside it: programs that run in processes of their own. Each file is replaced in one step, so
 * that a process that starts meanwhile finds a whole one.
 */
export async function buildServer(
  name: "broker" | "grader",
  files: readonly string[],
  workers: readonly string[] = [],
): Promise<void> {
  const dist = join(root, name, "dist");
  const { outputFiles } = await build({
    entryPoints: [join(root, name, "src/bin.ts"), ...workers],
    outdir: dist,
    entryNames: "[name]",
    chunkNames: "chunk-[hash]",
    bundle: true,
    // What is imported when it is needed is loaded then.
    splitting: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node22",
    sourcemap: true,
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    logLevel: "silent", // The caller tells what went wrong.
    plugins: [
      {
        name: "other-packages-stay-outside",
        setup({ onResolve }) {
          onResolve({ filter: /^[^./]/ }, ({ path }) =>
            path.startsWith("@crowdai/") ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  await mkdir(dist, { recursive: true });
  await Promise.all([
    ...outputFiles.map(({ path, contents }) => replace(path, (temporary) => writeFile(temporary, contents))),
    ...files.map((file) => replace(join(dist, basename(file)), (temporary) => copyFile(file, temporary))),
  ]);
  const written = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const old of await readdir(dist))
    if (old.startsWith("chunk-") && !written.has(old)) await rm(join(dist, old), { force: true });
}

async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await write(temporary);
  await rename(temporary, path);
}
