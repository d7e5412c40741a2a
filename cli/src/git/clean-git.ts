import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { devNull } from "node:os";
import { delimiter, isAbsolute, join, relative } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { GitError, simpleGit } from "simple-git";

type Env = Readonly<Record<string, string | undefined>>;

/** Of the caller's environment git gets these and nothing else: no GIT_*, no HOME, no editor, no tracing. */
const PASSED_VARIABLES = [
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "http_proxy",
  "HTTP_PROXY",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "GIT_SSL_CAPATH",
];

/** Git that reads no configuration but that of the repository it is given, which is always one of our own. */
export interface CleanGit {
  /** Full path of the program. */
  program: string;
  env: Record<string, string>;
  /** Runs it and returns what it printed. Throws GitFailure. */
  run(args: readonly string[], options?: RunOptions): Promise<Buffer>;
  /** A command that prints a few words. */
  line(args: readonly string[], options?: Pick<RunOptions, "env" | "signal">): Promise<string>;
  start(args: readonly string[], options?: RunOptions): ChildProcess;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: Buffer | string;
  signal?: AbortSignal;
  onWarning?: (text: string) => void;
}

export class GitFailure extends Error {
  override readonly name = "GitFailure";
  readonly code: number | null;
  readonly stderr: string;
  readonly stdout: string;
  constructor(args: readonly string[], code: number | null, stderr: string, stdout = "") {
    super(`git ${args[0]} ended with ${code}: ${stderr.trim()}`);
    this.code = code;
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/**
 * Git for a repository of our own. It is found on absolute entries of the path outside the project alone: nothing that lies in a
 * project is ever run. Throws git_missing.
 */
export function cleanGit(repository: string, project: string, env: Env): CleanGit {
  const program = findGit(env.PATH ?? env.Path ?? "", project);
  if (!program) throw new CrowdaiError("git_missing");
  const base = cleanEnvironment(repository, env);

  const start: CleanGit["start"] = (args, options = {}) =>
    spawn(program, [...args], {
      cwd: options.cwd ?? repository,
      env: { ...base, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      signal: options.signal,
      windowsHide: true,
    });
  const run: CleanGit["run"] = (args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = start(args, options);
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
      child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
      child.on("error", reject);
      // One that ends before it has read everything says why itself.
      child.stdin!.on("error", () => {});
      child.stdin!.end(options.input);
      child.on("close", (code) => {
        const stderr = Buffer.concat(err).toString();
        if (code !== 0) return reject(new GitFailure(args, code, stderr, Buffer.concat(out).toString()));
        if (stderr) options.onWarning?.(stderr);
        resolve(Buffer.concat(out));
      });
    });
  const line: CleanGit["line"] = async (args, { env: more = {}, signal } = {}) => {
    const plain = simpleGit({
      baseDir: repository,
      binary: program,
      trimmed: true,
      abort: signal,
      // The variables that simple-git warns of are set here, by us, to close what they would open.
      allowEnvironment: Object.keys({ ...base, ...more }),
      unsafe: ALLOWED_UNSAFE,
      errors: (error, { exitCode, stdErr }) => error ?? (exitCode === 0 ? undefined : Buffer.concat(stdErr)),
    }).env({ ...base, ...more });
    try {
      return await plain.raw([...args]);
    } catch (error) {
      if (error instanceof GitError) throw new GitFailure(args, null, error.message);
      throw error;
    }
  };
  return { program, env: base, start, run, line };
}

const ALLOWED_UNSAFE = {
  allowUnsafeCustomBinary: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeAskPass: true,
};

function cleanEnvironment(repository: string, env: Env): Record<string, string> {
  const passed = PASSED_VARIABLES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return {
    ...Object.fromEntries(passed),
    PATH: safePath(env.PATH ?? env.Path ?? "", repository).join(delimiter),
    // No ~/.netrc, no ~/.gitconfig, no ~/.config/git.
    HOME: repository,
    XDG_CONFIG_HOME: repository,
    LC_ALL: "C",
    GIT_DIR: repository,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: devNull,
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_ALLOW_PROTOCOL: "http:https",
    GIT_PROTOCOL_FROM_USER: "0",
  };
}

function findGit(path: string, project: string): string | null {
  const names = process.platform === "win32" ? ["git.exe"] : ["git"];
  for (const folder of safePath(path, project))
    for (const name of names) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not in this folder.
      }
    }
  return null;
}

/** The path without relative entries and without folders of the project, as npx puts node_modules/.bin there. */
function safePath(path: string, project: string): string[] {
  return path.split(delimiter).filter((folder) => isAbsolute(folder) && !isInside(folder, project));
}

/** Whether a path is the folder or lies below it. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!isAbsolute(way) && way !== ".." && !/^\.\.[\\/]/.test(way));
}
