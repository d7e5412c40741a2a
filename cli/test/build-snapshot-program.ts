import { join } from "node:path";
import { build } from "esbuild";

/** Writes take-snapshot.program.ts as one JavaScript file, which starts faster and which another user can read. */
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
