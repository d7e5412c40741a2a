import { join } from "node:path";
import { build } from "esbuild";

/**
 * Bundles take-snapshot.program.ts into one JavaScript file, which starts faster and which other users can
 * read.
 */
export async function buildSnapshotProgram(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, "take-snapshot.program.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
    logLevel: "warning",
  });
}
