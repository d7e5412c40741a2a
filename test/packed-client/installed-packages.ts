import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../../scripts/lib/root.ts";
import { PUBLISHED } from "../../scripts/release/manifest.ts";
import { packPackage } from "../../scripts/release/pack.ts";

/** The oldest Node.js on which the servers run, as package.json says. */
const OLDEST_NODE = "22.13.1";

/** The pinned Node.js, the oldest that is supported, and Bun. */
export const RUNTIMES = ["the pinned Node.js", "the oldest Node.js", "Bun"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** How an organizer starts the installed commands under a runtime. */
export interface PackageRunner {
  /** Runs a package's command, as `npx` does, without fetching anything. */
  command: readonly string[];
  /** Runs a JavaScript module. */
  runtime: string;
  path: string;
}

/** The folders on the path in which nothing of this workspace is found. */
const outside = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"));

/**
 * Packs every published package and installs the tarballs in an empty project. Resolves to the project's
 * folder.
 */
export async function installPackages(folder: string): Promise<string> {
  const project = join(folder, "project");
  mkdirSync(project);
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "outside", private: true, type: "module" }),
  );
  const tarballs = [];
  for (const name of PUBLISHED) tarballs.push((await packPackage(join(root, name), folder)).tarball);
  await npmInstall(project, tarballs);
  return project;
}

/** Installs the runtimes in `folder`, outside the workspace. */
export async function findRunners(folder: string): Promise<Record<RuntimeName, PackageRunner>> {
  const platform = `node-${process.platform}-${process.arch}`;
  const old = mkdtempSync(join(folder, "node-"));
  await npmInstall(old, [`${platform}@${OLDEST_NODE}`]);
  const bun = join(folder, "bun");
  mkdirSync(bun);
  symlinkSync(join(root, "node_modules/bun/bin/bun.exe"), join(bun, "bun"));
  return {
    "the pinned Node.js": nodeRunner(join(root, "node_modules/node/bin")),
    "the oldest Node.js": nodeRunner(join(old, "node_modules", platform, "bin")),
    Bun: {
      command: [join(bun, "bun"), "x", "--bun", "--no-install"],
      runtime: join(bun, "bun"),
      path: [bun, ...outside].join(delimiter),
    },
  };
}

const nodeRunner = (bin: string): PackageRunner => ({
  command: ["npx", "--no"],
  runtime: join(bin, "node"),
  path: [bin, ...outside].join(delimiter),
});

async function npmInstall(project: string, packages: readonly string[]): Promise<void> {
  const args = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", ...packages];
  const done = await run("npm", args, {
    cwd: project,
    env: { ...process.env, PATH: outside.join(delimiter) },
  });
  if (done.code !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${done.stderr}`);
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Finished> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

/**
 * Starts a server in a process group of its own, so that what `npx` starts is stopped too. Resolves when
 * `ready` holds; rejects with its output when it exits before.
 */
export async function startServer(
  command: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
  ready: () => boolean = () => true,
): Promise<() => Promise<void>> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const closed = once(child, "close");
  while (!ready()) {
    if (child.exitCode !== null) throw new Error(`${command.join(" ")} did not start:\n${output}`);
    await sleep(50);
  }
  return async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGTERM");
    await closed;
  };
}

/** The address that a broker wrote to its data folder, or null while it starts. */
export function brokerUrl(data: string): string | null {
  const file = join(data, "broker.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).url : null;
}
