import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { z } from "zod";
import packageJson from "../../cli/package.json" with { type: "json" };
import { projectConfigSchema } from "../../cli/src/config/project-config.ts";
import { createProgram } from "../../cli/src/program.ts";
import { root } from "../lib/root.ts";
import { lateBuiltins, lateStringWidth, leanSockets, withoutForge } from "./lean-client.ts";
import { notices } from "./notices.ts";

const cli = join(root, "cli");
const dist = join(cli, "dist");
/** The files that `crowdai run` gives to agents: those that graders give to agents in their boxes. */
const agentFiles = ["crowdai_agent.py", "crowdai-agent.js"].map((name) =>
  join(root, "grader/src/environment/agent", name),
);

/**
 * The files that several commands share, with all that they import; what only one command needs is in its
 * own.
 */
const GROUPS = [
  // All that importing the library loads.
  { name: "base", priority: 3, paths: ["shared/src/protocol/(errors|exact-json)"] },
  {
    name: "core",
    priority: 2,
    paths: [
      "cli/src/(main|client/schema-settings)",
      "cli/src/client/http/(account|broker-queries)",
      "cli/src/terminal/[\\w-]+",
      "cli/src/commands/challenges",
      "cli/src/commands/submission/([\\w-]+-rows|read-\\w+|[\\w-]+-document|slots-text|facts)",
    ],
  },
  {
    name: "session",
    priority: 1,
    paths: [
      "cli/src/client/session/[\\w-]+",
      "cli/src/submit/(resumable|(submit|submission|code|check)-\\w+|choose-code)",
      "cli/src/commands/submission/[\\w-]+",
      "cli/src/commands/input/prepare-input",
      "cli/src/commands/code/report-code",
      "cli/src/agreement/[\\w-]+",
      "cli/src/snapshot/(send/code-outcome|store/code-folder)",
    ],
  },
].map(({ paths, ...group }) => ({ ...group, test: isAmong(paths) }));

/**
 * Bundles the client into cli/dist: the command line and the library, with everything inside but the
 * keychain. Files are few, because each costs a process that loads it half a millisecond, and what only some
 * commands need is in files of its own.
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
    plugins: [withoutForge, lateBuiltins, lateStringWidth, leanSockets],
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
 * The answers to `--help` and `--version`, by the name of the command, so that bin/crowdai.js only has to
 * print them.
 */
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

/** Returns a test of modules by their path in this repository. */
function isAmong(paths: readonly string[]): (id: string) => boolean {
  const pattern = new RegExp(`^(${paths.join("|")})\\.ts$`);
  return (id) => pattern.test(relative(root, id).replaceAll("\\", "/"));
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
