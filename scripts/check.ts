// `npm run check`: what can be said of the code without running it. Lint, format, types, generated files.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./lib/root.ts";
import { runCommand } from "./lib/run-command.ts";
import { step } from "./lib/step.ts";

const bin = join(root, "node_modules/.bin");

const CHECKS = [
  { title: "lint and format", command: join(bin, "biome"), args: ["ci", "--error-on-warnings", "."] },
  { title: "types", command: join(bin, "tsc"), args: ["-p", "."] },
  {
    title: "import directions",
    command: process.execPath,
    args: ["scripts/check/import-directions.ts"],
  },
  { title: "banned words", command: process.execPath, args: ["scripts/check/banned-words.ts"] },
  { title: "width of lines", command: process.execPath, args: ["scripts/check/line-width.ts"] },
  { title: "log events", command: process.execPath, args: ["scripts/check/log-events.ts"] },
  { title: "marked steps", command: process.execPath, args: ["scripts/check/marked-steps.ts"] },
  {
    title: "generated: demo challenge",
    command: process.execPath,
    args: ["scripts/demo/generate.ts", "--check"],
  },
  {
    title: "generated: docs/errors.md",
    command: process.execPath,
    args: ["scripts/generate/error-docs.ts", "--check"],
  },
  {
    title: "generated: docs/commands.md",
    command: process.execPath,
    args: ["scripts/generate/command-docs.ts", "--check"],
  },
  {
    title: "generated: cli/crowdai.1",
    command: process.execPath,
    args: ["scripts/generate/man-page.ts", "--check"],
  },
  {
    title: "generated: numbers of system calls",
    command: process.execPath,
    args: ["scripts/generate/syscall-numbers.ts", "--check"],
  },
  {
    title: "generated: shared/challenge.schema.json",
    command: process.execPath,
    args: ["scripts/generate/challenge-schema.ts", "--check"],
  },
];

/** Runs every check, also after one has failed. Resolves to the titles of those that failed. */
export async function check(): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, command, args } of CHECKS) {
    const { exitCode, endedBy } = await step(title, () => runCommand(command, args));
    if (exitCode !== 0) failed.push(endedBy === null ? title : `${title} (ended by ${endedBy})`);
  }
  return failed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await check()).length > 0 ? 1 : 0;
