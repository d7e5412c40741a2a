import { Writable } from "node:stream";
import { main } from "../../src/main.ts";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs crowdai-broker in this process; `onStop` receives the function that a signal would call. */
export async function runCommand(
  cwd: string,
  args: string[],
  { env = {}, onStop = () => {} }: { env?: Record<string, string>; onStop?: (stop: () => void) => void } = {},
): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
      },
    });
  const code = await main(args, {
    env: { LOG_LEVEL: "silent", ...env },
    cwd,
    stdout: into("stdout"),
    stderr: into("stderr"),
    onSignal: onStop,
  });
  return { code, ...written };
}
