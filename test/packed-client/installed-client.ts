import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/root.ts";
import type { MachineNode } from "./machine-node.ts";

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  stdin?: string;
  cwd?: string;
}

export interface PackedFile {
  path: string;
  size: number;
}

/**
 * An empty project in a temporary folder, into which the packed client was installed as a participant would.
 */
export interface InstalledClient {
  folder: string;
  packed: { size: number; unpackedSize: number; files: PackedFile[] };
  /**
   * Runs the machine's Node.js in the project, with an environment in which nothing of this machine's
   * settings counts.
   */
  node(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs the installed `crowdai` command. */
  crowdai(args: readonly string[], options?: RunOptions): Promise<Finished>;
}

export async function installClient({ node, path }: MachineNode): Promise<InstalledClient> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-packed-"));
  const home = join(folder, "home");
  const project = join(folder, "project");
  for (const made of [home, project]) mkdirSync(made);

  const npm = async (args: string[], cwd: string) => {
    const done = await run("npm", args, { cwd, env: { ...process.env, PATH: path } });
    if (done.code !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${done.stderr}`);
    return done.stdout;
  };
  const [packed] = JSON.parse(
    await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], join(root, "cli")),
  );
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "outside", private: true, type: "module" }),
  );
  await npm(
    ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, packed.filename)],
    project,
  );

  const clean = { PATH: path, HOME: home, CROWDAI_CONFIG_DIR: join(home, "config"), CI: "true" };
  const { bin } = JSON.parse(readFileSync(join(project, "node_modules/crowdai/package.json"), "utf8"));
  const command = join(project, "node_modules/crowdai", bin.crowdai);
  const runNode: InstalledClient["node"] = (args, { env, stdin, cwd = project } = {}) =>
    run(node, args, { cwd, stdin, env: { ...clean, ...env } });
  return {
    folder: project,
    packed,
    node: runNode,
    crowdai: (args, options) => runNode([command, ...args], options),
  };
}

export function run(
  command: string,
  args: readonly string[],
  { env, cwd, stdin }: RunOptions,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {}); // A child may end without reading.
    child.stdin.end(stdin ?? "");
  });
}
