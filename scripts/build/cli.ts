import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build, type Plugin } from "esbuild";
import { z } from "zod";
import packageJson from "../../cli/package.json" with { type: "json" };
import { projectConfigSchema } from "../../cli/src/config/project-config.ts";
import { createProgram } from "../../cli/src/program.ts";
import { root } from "../lib/root.ts";
import { notices } from "./notices.ts";

const cli = join(root, "cli");
const dist = join(cli, "dist");
/** What `crowdai run` gives to agents: the files that graders give to those in their boxes. */
const agentFiles = ["crowdai_agent.py", "crowdai-agent.js"].map((name) =>
  join(root, "grader/src/environment/agent", name),
);

/**
 * Bundles the client into cli/dist: the command line and the library, with everything inside but the keychain. What
 * only some commands need stands in chunks that are read when they run, so that `--help` reads next to nothing.
 */
export async function buildCli(): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: {
      bin: join(cli, "src/bin.ts"),
      index: join(cli, "src/index.ts"),
      "part-digests.worker": join(cli, "src/client/upload/part-digests.worker.ts"),
    },
    outdir: dist,
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    metafile: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: ["keytar"],
    // Some of what is inside still calls require() for Node's own modules.
    plugins: [treeShakableZod, excludeForge],
    banner: { js: 'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url);' },
    logLevel: "warning",
  });
  await mkdir(join(dist, "help"), { recursive: true });
  // The entries come last: a process that starts in between finds everything that they import.
  const isEntry = (path: string) => ["bin.js", "index.js"].includes(basename(path));
  const files = outputFiles.map(({ path, contents }) => ({
    path,
    contents: contents as Uint8Array | string,
  }));
  files.sort((a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)));
  files.unshift({ path: join(dist, "THIRD-PARTY-NOTICES.txt"), contents: await notices(metafile) });
  for (const { name, text } of helpPages()) await replace(join(dist, "help", `${name}.txt`), text);
  for (const { path, contents } of files) await replace(path, contents);
  await mkdir(join(dist, "agent"), { recursive: true });
  for (const path of agentFiles) await replace(join(dist, "agent", basename(path)), await readFile(path));
  await replace(join(cli, "crowdai.schema.json"), schemaText());
  await removeStaleChunks(files.map(({ path }) => basename(path)));
}

/** The JSON Schema of crowdai.json, for editors. */
export function schemaText(): string {
  const schema = z.toJSONSchema(projectConfigSchema, { io: "input" });
  return `${JSON.stringify({ title: "crowdai.json", ...schema }, null, 2)}\n`;
}

/** esbuild leaves out what is not used of a namespace, but takes the whole of an object: 100 kB instead of 470. */
const treeShakableZod: Plugin = {
  name: "zod-in-parts",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace('import { z } from "zod"', 'import * as z from "zod"'),
      loader: "ts",
    }));
  },
};

/**
 * Secretlint would read key stores (.p12) with node-forge, which is larger than all the rest. Such files are never included in a
 * submission for their name alone, so that nothing asks for it.
 */
const excludeForge: Plugin = {
  name: "without-forge",
  setup(within) {
    within.onResolve({ filter: /^\.\/index-[\w-]+\.js$/ }, ({ kind, importer, path }) =>
      kind === "dynamic-import" && importer.includes("secretlint-rule-preset-recommend")
        ? { path, namespace: "without-forge" }
        : undefined,
    );
    within.onLoad({ filter: /.*/, namespace: "without-forge" }, () => ({ contents: "export const i = {};" }));
  },
};

/** The answers to `--help` and `--version`, by the name of the command, so that bin/crowdai.js only has to print them. */
export function helpPages(): { name: string; text: string }[] {
  let text = "";
  const program = createProgram({
    version: packageJson.version,
    writeOut: (part) => {
      text += part;
    },
    run: async () => {},
  });
  const pages = [program, ...program.commands].map((command) => {
    text = "";
    command.outputHelp();
    return { name: command.name(), text };
  });
  return [...pages, { name: "--version", text: `${packageJson.version}\n` }];
}

async function replace(path: string, contents: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await writeFile(temporary, contents);
  await rename(temporary, path);
}

/** Chunks of earlier builds. */
async function removeStaleChunks(current: string[]): Promise<void> {
  for (const name of await readdir(dist))
    if (!current.includes(name) && name.endsWith(".js")) await rm(join(dist, name), { force: true });
}
