import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build, type Metafile } from "esbuild";
import { root } from "../lib/root.ts";
import { lazyBuiltins } from "./lazy-builtins.ts";
import { notices } from "./notices.ts";
import { packageNames } from "./package-names.ts";

/**
 * Packages of many small modules that a start or most commands load, and what these import: a command takes
 * twice as long to start when Node.js finds each module by itself. Zod is inside because one program must not
 * have it twice. Packages of which Bun has a version of its own stay outside, as ws does, and with it
 * socket.io.
 */
const INSIDE = [
  ...["kysely", "ajv", "fast-deep-equal", "fast-uri", "json-schema-traverse"],
  ...["hono", "@hono/node-server", "zod", "@hono/zod-openapi", "@hono/zod-validator"],
  ...["@asteasolutions/zod-to-openapi", "openapi3-ts", "yaml", "commander", "jose", "rate-limiter-flexible"],
  ...["pino", "pino-std-serializers", "thread-stream", "sonic-boom", "on-exit-leak-free"],
  ...["quick-format-unescaped", "safe-stable-stringify", "atomic-sleep", "@pinojs/redact", "real-require"],
  ...["prom-client", "@opentelemetry/api", "tdigest", "bintrees"],
  ...["markdown-it", "entities", "mdurl", "linkify-it", "uc.micro", "punycode.js"],
  ...["yauzl", "pend", "modern-tar", "async-mutex", "fastest-levenshtein"],
];

/**
 * Bundles a server's src/bin.ts and src/index.ts into dist with the workspace's own packages and those of
 * INSIDE inside, all others outside, and puts `files` and the bundles of `workers` beside them: programs that
 * run in processes of their own. Each file is replaced in one step, so that a process that starts during a
 * build finds a whole one.
 */
export async function buildServer(
  name: "broker" | "grader",
  files: readonly string[],
  workers: readonly string[] = [],
): Promise<void> {
  const dist = join(root, name, "dist");
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, name, "src/bin.ts"), join(root, name, "src/index.ts"), ...workers],
    outdir: dist,
    entryNames: "[name]",
    chunkNames: "chunk-[hash]",
    bundle: true,
    // Keeps lazy imports lazy.
    splitting: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node22",
    sourcemap: true,
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    logLevel: "silent", // The caller reports the error.
    plugins: [
      lazyBuiltins,
      {
        name: "other-packages-stay-outside",
        setup({ onResolve }) {
          // Its build for browsers: that for Node.js calls require, which a module does not have.
          onResolve({ filter: /^yaml$/ }, () => ({ path: join(root, "node_modules/yaml/browser/index.js") }));
          onResolve({ filter: /^[^./]/ }, ({ path }) =>
            path.startsWith("@crowdai/") || isInside(path) ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  await requireDependencies(name, metafile);
  await mkdir(dist, { recursive: true });
  const licenses = await notices(Object.keys(metafile.inputs));
  await Promise.all([
    replace(join(dist, "THIRD-PARTY-NOTICES.txt"), (temporary) => writeFile(temporary, licenses)),
    ...outputFiles.map(({ path, contents }) => replace(path, (temporary) => writeFile(temporary, contents))),
    ...files.map((file) => replace(join(dist, basename(file)), (temporary) => copyFile(file, temporary))),
  ]);
  const written = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const old of await readdir(dist))
    if (old.startsWith("chunk-") && !written.has(old)) await rm(join(dist, old), { force: true });
}

const isInside = (path: string) => INSIDE.some((name) => path === name || path.startsWith(`${name}/`));

/** Throws unless the server's package.json lists every package that its bundle imports. */
async function requireDependencies(name: string, { outputs }: Metafile): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(root, name, "package.json"), "utf8"));
  const imports = Object.values(outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external),
  );
  const missing = packageNames(imports.map(({ path }) => path)).filter((imported) => !dependencies[imported]);
  if (missing.length > 0)
    throw new Error(
      `the bundle imports ${missing.join(", ")}; add them to dependencies in ${name}/package.json`,
    );
}

async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await write(temporary);
  await rename(temporary, path);
}
