import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Plugin, rolldown } from "rolldown";
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

const GROUPS = [
  // What nearly every command needs: settings, key, terminal, HTTP and the schemas of the broker's answers.
  {
    name: "core",
    test: /cli\/src\/(command-context|client\/http\/(http-client|proxy-agents|broker-queries))\.ts$/,
    priority: 2,
  },
];

/**
 * Bundles the client into cli/dist: the command line and the library, with everything inside but the keychain. Files are few,
 * because each costs a process that loads it half a millisecond, and what only some commands need is in files of its own.
 */
export async function buildCli(): Promise<void> {
  const bundle = await rolldown({
    input: {
      bin: join(cli, "src/bin.ts"),
      index: join(cli, "src/index.ts"),
      "part-digests.worker": join(cli, "src/client/upload/part-digests.worker.ts"),
    },
    platform: "node",
    external: ["keytar"],
    transform: { target: "node20.19" },
    plugins: [excludeForge, requiredBuiltins, lateEmojiPattern],
    checks: { ineffectiveDynamicImport: false },
    logLevel: "warn",
  });
  const { output } = await bundle.generate({
    format: "esm",
    minify: true,
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: { groups: GROUPS },
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === "chunk");
  await mkdir(join(dist, "help"), { recursive: true });
  // The entries come last: a process that starts in between finds everything that they import.
  const isEntry = (path: string) => ["bin.js", "index.js"].includes(basename(path));
  const files = chunks.map(({ fileName, code }) => ({ path: join(dist, fileName), contents: code }));
  files.sort((a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)));
  const licenses = await notices(chunks.flatMap(({ moduleIds }) => moduleIds));
  files.unshift({ path: join(dist, "THIRD-PARTY-NOTICES.txt"), contents: licenses });
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

/**
 * Secretlint would read key stores (.p12) with node-forge, which is larger than all the rest. Such files are never included in a
 * submission for their name alone, so that nothing asks for it.
 */
const excludeForge: Plugin = {
  name: "without-forge",
  resolveId: {
    filter: { id: /^\.\/index-[\w-]+\.js$/ },
    handler: (_id, importer, { kind }) =>
      kind === "dynamic-import" && importer?.includes("secretlint-rule-preset-recommend")
        ? "\0without-forge"
        : null,
  },
  load: { filter: { id: /^\0without-forge$/ }, handler: () => "export const i = {};" },
};

/**
 * Node.js evaluates every export of its own module that is imported; for `node:http`, that loads all of `fetch` and WebSocket,
 * for `node:crypto` the Web Cryptography API: a third of the time of a command. `require` evaluates only what is used.
 */
const requiredBuiltins: Plugin = {
  name: "required-builtins",
  resolveId: {
    filter: { id: /^(node:)?[a-z_]+(\/[a-z]+)?$/ },
    handler: (id, _importer, { kind }) =>
      kind === "import-statement" && isBuiltin(id) && !/^(node:)?module$/.test(id)
        ? `\0builtin:${id.replace(/^node:/, "")}`
        : null,
  },
  load: {
    filter: { id: /^\0builtin:/ },
    handler: (id) => `module.exports = require("node:${id.slice("\0builtin:".length)}");`,
  },
};

/** The pattern of all emoji takes 30 ms to compile, and a table of ASCII never uses it. */
const lateEmojiPattern: Plugin = {
  name: "late-emoji-pattern",
  transform: {
    filter: { id: /node_modules[\\/]string-width[\\/]index\.js$/ },
    handler(code) {
      const pattern = String.raw`/^\p{RGI_Emoji}$/v`;
      const eager = `const rgiEmojiRegex = ${pattern};`;
      if (!code.includes(eager))
        this.error("string-width no longer compiles the pattern of emoji when it is loaded");
      return code.replace(
        eager,
        () => `let emoji; const rgiEmojiRegex = { test: (text) => (emoji ??= ${pattern}).test(text) };`,
      );
    },
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
