import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * What holds a child process to its limits, as found on this machine.
 *
 * `setpriv --pdeathsig KILL` (util-linux) has the kernel kill the child the moment its parent is gone, by whatever way, `kill -9`
 * included. It covers the process itself, not children that it started.
 *
 * `prlimit --data` (util-linux) is the memory limit. It counts memory a process may write to itself, so runtimes that reserve far more
 * address space than they use (Node.js, the JVM) run under it; `--as` would stop them at start.
 */
export interface ProcessLimitTools {
  setpriv: boolean;
  prlimit: boolean;
}

/** Which of them work, by trying; `path` is where programs are looked for. */
export async function findProcessLimitTools(path: string): Promise<ProcessLimitTools> {
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

/** The words before a command that set its limits (options of prlimit), as far as this machine can. */
export function limited({ setpriv, prlimit }: ProcessLimitTools, limits: readonly string[]): string[] {
  return [
    ...(setpriv ? ["setpriv", "--pdeathsig", "KILL", "--"] : []),
    ...(prlimit && limits.length > 0 ? ["prlimit", ...limits, "--"] : []),
  ];
}
