import { type ChildProcess, spawn } from "node:child_process";
import { CrowdaiError } from "@crowdai/shared";
import { GitError, simpleGit } from "simple-git";
import { cleanEnvironment } from "./clean-environment.ts";
import { findGit } from "./find-git.ts";
import { type GitNetwork, gitNetwork } from "./git-network.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Runs git with the configuration of one repository alone, which is always one that this client created. */
export interface CleanGit {
  /** Absolute path of the git executable. */
  program: string;
  env: Record<string, string>;
  /** Returns what git needs to reach a URL. `folder` is one of the client's own, for certificates. */
  network(url: URL, folder: string): GitNetwork;
  /** Runs a git command and returns its stdout. Throws GitFailure. */
  run(args: readonly string[], options?: RunOptions): Promise<Buffer>;
  /** Runs a git command with short output and returns it as trimmed text. Throws GitFailure. */
  line(args: readonly string[], options?: Pick<RunOptions, "env" | "signal">): Promise<string>;
  /** Starts a git command whose streams the caller handles. */
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
    super(`git ${args[0]} exited with ${code}: ${stderr.trim()}`);
    this.code = code;
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

/**
 * Returns git for a repository that this client created. The executable is searched for in absolute PATH
 * entries outside the project, so that no program inside a project is ever run. Throws git_missing.
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
      // A command that exits before it has read its input reports the reason itself.
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
      // simple-git warns about these variables; they are set here to disable the very features it warns
      // about.
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
  const network: CleanGit["network"] = (url, folder) => gitNetwork(url, env, folder);
  return { program, env: base, network, start, run, line };
}

const ALLOWED_UNSAFE = {
  allowUnsafeCustomBinary: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeAskPass: true,
};
