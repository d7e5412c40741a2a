import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { root } from "../../lib/root.ts";
import { writeExecutableSources } from "./executable-sources.ts";
import type { Target } from "./targets.ts";

export interface ExecutablesOptions {
  /** The built client. */
  dist: string;
  destination: string;
  targets: readonly Target[];
  /** Compiles the code in advance: the executable starts in half the time, and takes longer to make. */
  bytecode: boolean;
  print(line: string): void;
}

/**
 * Writes an executable for each target, and SHA256SUMS of them, to `destination`. Returns the targets that
 * could not be made, which it prints with the reason: Bun downloads what other platforms than this one need.
 */
export async function buildExecutables({
  dist,
  destination,
  targets,
  bytecode,
  print,
}: ExecutablesOptions): Promise<Target[]> {
  mkdirSync(destination, { recursive: true });
  const sources = mkdtempSync(join(tmpdir(), "crowdai-executables-"));
  const missing: Target[] = [];
  const sums: string[] = [];
  try {
    const entries = writeExecutableSources(dist, sources);
    for (const target of targets) {
      const file = join(destination, target.file);
      try {
        await compile({ entries, file, target, bytecode });
        sums.push(`${await sha256(file)}  ${target.file}\n`);
        print(`${target.file}: built`);
      } catch (error) {
        rmSync(file, { force: true });
        missing.push(target);
        print(`missing: ${target.file} (${target.bun}): ${reason(error)}`);
      }
    }
    writeFileSync(join(destination, "SHA256SUMS"), sums.join(""));
  } finally {
    rmSync(sources, { recursive: true });
  }
  return missing;
}

interface Compilation {
  entries: string[];
  file: string;
  target: Target;
  bytecode: boolean;
}

async function compile({ entries, file, target, bytecode }: Compilation): Promise<void> {
  const args = [
    ...["build", "--compile", "--minify", "--splitting", "--format=esm", `--target=${target.bun}`],
    // The keychain is native code for each platform: without it, keys are stored in the user's private file.
    ...["--external", "keytar"],
    // Files of the folder in which a command runs must not change what it does.
    ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
    ...(bytecode ? ["--bytecode"] : []),
    ...entries,
    ...["--outfile", file],
  ];
  const bun = join(root, "node_modules/.bin/bun");
  // In the folder of the sources: it is the root of the paths inside the executable.
  await promisify(execFile)(bun, args, { cwd: dirname(entries[0]!), maxBuffer: 16 * 1024 * 1024 });
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Bun's own first line about an error. */
function reason(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr || message).split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error/i.test(line)) ?? lines[0] ?? "unknown error";
}
