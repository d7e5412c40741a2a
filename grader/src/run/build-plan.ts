import { createHash } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunConfig } from "@crowdai/shared/challenge-folder";
import { NPM_SCRIPT } from "./npm-script.ts";

/** Where Python finds what a build installed, below the code. */
export const PYTHON_BASE = ".python";

export interface BuildPlan {
  /** The lines that the participant's record shows. */
  shown: readonly string[];
  command: readonly [string, ...string[]];
  /** The files that the build can see: the whole code, or copies of these alone, by name. */
  files: "code" | Readonly<Record<string, Buffer>>;
  /** Digest of the files and the command. Equal digests give equal results. */
  digest: string;
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Plans what is built before code runs; null when there is nothing to build. A build sees no file that is not
 * in its digest: a result is used for other submissions, and must not depend on the one that was first.
 */
export async function planBuild(
  build: RunConfig["build"],
  code: { dir: string; digest: string },
  hasPackages: boolean,
): Promise<BuildPlan | null> {
  if (build === null) return null;
  if (build !== "auto") {
    // In a copy that it may change; what it leaves lies over the code afterwards.
    const script = 'cp -R /code/. /out && cd /out && exec "$@"';
    return plan(build, ["/bin/sh", "-c", script, "build", ...build], "code", code.digest);
  }
  const read = async (name: string) => {
    const path = join(code.dir, name);
    const found = await lstat(path).catch(() => null);
    return found?.isFile() && found.size <= MAX_FILE_BYTES ? await readFile(path) : null;
  };
  const requirements = await read("requirements.txt");
  const lock = await read("package-lock.json");
  const manifest = lock && (await read("package.json"));
  const steps = [
    ...(requirements ? [pipScript(hasPackages)] : []),
    ...(lock && manifest ? [`node -e '${NPM_SCRIPT}'`] : []),
  ];
  if (steps.length === 0) return null;
  const shown = [
    ...(requirements ? ["pip install -r requirements.txt"] : []),
    ...(lock && manifest ? ["npm ci --offline"] : []),
  ];
  const command = ["/bin/sh", "-ec", steps.join("\n")] as const;
  const isAlone =
    (!requirements || namesPackagesOnly(requirements.toString("utf8"))) &&
    (!lock || !manifest || namesNoFiles(lock.toString("utf8"), manifest.toString("utf8")));
  if (!isAlone) return plan(shown, command, "code", code.digest);
  const files = {
    ...(requirements ? { "requirements.txt": requirements } : {}),
    ...(lock && manifest ? { "package-lock.json": lock, "package.json": manifest } : {}),
  };
  return plan(
    shown,
    command,
    files,
    digestOf(Object.entries(files).map(([name, text]) => [name, digestOf(text)])),
  );
}

function plan(
  shown: readonly string[],
  command: BuildPlan["command"],
  files: BuildPlan["files"],
  digest: string,
): BuildPlan {
  return { shown, command, files, digest: digestOf([command, digest]) };
}

/** Digest of bytes, or of a value's JSON text. */
export function digestOf(value: unknown): string {
  return createHash("sha256")
    .update(Buffer.isBuffer(value) ? value : JSON.stringify(value))
    .digest("hex");
}

/**
 * Installs below /out what is not installed already. Started elsewhere than in the code, whose modules Python
 * would load.
 */
function pipScript(hasPackages: boolean): string {
  const options = [
    ...["--user", "--no-index", "--no-cache-dir", "--no-compile", "--no-input"],
    ...["--disable-pip-version-check", "--no-warn-script-location"],
    ...(hasPackages ? ["--find-links", "/packages"] : []),
  ];
  return [
    `export PYTHONUSERBASE=/out/${PYTHON_BASE} PIP_BREAK_SYSTEM_PACKAGES=1`,
    `python3 -m pip install ${options.join(" ")} -r /code/requirements.txt`,
    // Files get new times when they leave the box.
    `[ ! -d /out/${PYTHON_BASE} ] || python3 -m compileall -q --invalidation-mode unchecked-hash /out/${PYTHON_BASE} || :`,
  ].join("\n");
}

/** Whether requirements are packages with versions, and no options, folders, files or addresses. */
const namesPackagesOnly = (text: string): boolean =>
  text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, "")
        .replace(/\s--hash=\w+:[0-9a-f]+/g, "")
        .trim(),
    )
    .every(
      (line) =>
        line === "" ||
        /^[A-Za-z0-9][\w.-]*\s*(\[[\w.,\s-]*\])?\s*([<>=!~][^/\\@:]*)?(;[^/\\@]*)?$/.test(line),
    );

/**
 * Whether a lock file names packages of a registry alone, and installing runs no script of the code itself.
 */
function namesNoFiles(lock: string, manifest: string): boolean {
  const runsScripts = /"(?:pre|post)?(?:install|prepare|prepublish)"\s*:/.test(manifest);
  return !runsScripts && !/"link"\s*:|"(?:file|git|link)[:+]|"workspaces"\s*:/.test(lock + manifest);
}
