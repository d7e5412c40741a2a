import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * The tools on this machine that limit a child process.
 *
 * `setpriv --pdeathsig KILL` (util-linux) makes the kernel kill the child when its parent exits, even by
 * `kill -9`. It does not cover the child's own children.
 *
 * `prlimit --data` (util-linux) is the memory limit. It counts private writable memory, so that runtimes
 * which reserve much more address space than they use (Node.js, the JVM) can run; with `--as` they fail at
 * start.
 */
export interface ProcessLimitTools {
  setpriv: boolean;
  prlimit: boolean;
}

const found = new Map<string, Promise<ProcessLimitTools>>();

/**
 * Returns which of the tools on `path` work. Tries them once for each path: a broker with a grader asks
 * several times.
 */
export function findProcessLimitTools(path: string): Promise<ProcessLimitTools> {
  const tools = found.get(path) ?? tryTools(path);
  found.set(path, tools);
  return tools;
}

async function tryTools(path: string): Promise<ProcessLimitTools> {
  const works = (command: string, args: string[]) =>
    promisify(execFile)(command, args, { env: { PATH: path } }).then(
      () => true,
      () => false,
    );
  const [setpriv, prlimit] = await Promise.all([
    works("setpriv", ["--pdeathsig", "KILL", "--", "true"]),
    works("prlimit", ["--data=unlimited", "--cpu=unlimited", "--core=0", "--", "true"]),
  ]);
  return { setpriv, prlimit };
}

/**
 * Returns the arguments to put before a command to limit it, as far as this machine supports that. `limits`
 * are prlimit options.
 */
export function limitPrefix({ setpriv, prlimit }: ProcessLimitTools, limits: readonly string[]): string[] {
  return [
    ...(setpriv ? ["setpriv", "--pdeathsig", "KILL", "--"] : []),
    ...(prlimit && limits.length > 0 ? ["prlimit", ...limits, "--"] : []),
  ];
}
