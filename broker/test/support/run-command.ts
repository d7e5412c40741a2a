import { Writable } from "node:stream";
import { main } from "../../src/main.ts";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs crowdai-broker in this process; `whenReady` is called once a started one listens, with what a signal
 * would call.
 */
export async function runCommand(
  cwd: string,
  args: string[],
  {
    env = {},
    whenReady = () => {},
  }: { env?: Record<string, string>; whenReady?: (stop: () => void) => void } = {},
): Promise<Ran> {
  const written = { stdout: "", stderr: "" };
  let [isReady, stop] = [false, () => {}];
  const into = (name: "stdout" | "stderr") =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
        if (isReady || !/ listening on /.test(written.stderr)) return;
        isReady = true;
        whenReady(stop);
      },
    });
  const code = await main(args, {
    env: { LOG_LEVEL: "silent", ...env },
    cwd,
    stdout: into("stdout"),
    stderr: into("stderr"),
    onSignal(given) {
      stop = given;
    },
  });
  return { code, ...written };
}
