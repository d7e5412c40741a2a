import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A real terminal that runs a command as a person sees it. */
export interface TmuxTerminal extends AsyncDisposable {
  /** Waits until the screen shows this text, and returns the screen. */
  see(text: string | RegExp): Promise<string>;
  /** Presses keys, named as in tmux: "y", "Enter", "C-c". */
  press(...keys: string[]): Promise<void>;
}

/** Starts `command` in a terminal of tmux. When the command has ended, the screen shows `exit code n`. */
export async function startInTerminal(
  command: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>>; columns?: number },
): Promise<TmuxTerminal> {
  const socket = `crowdai-${randomUUID()}`;
  const { PATH = "" } = process.env;
  const tmux = (...args: string[]) =>
    run("tmux", ["-L", socket, ...args], { env: { PATH, LANG: "C.UTF-8", TERM: "xterm" } });
  const env = Object.entries({ PATH, LANG: "C.UTF-8", CI: "", ...options.env });
  await tmux(
    ...[
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-x",
      String(options.columns ?? 120),
      "-y",
      "60",
      "-c",
      options.cwd,
    ],
    ...env.flatMap(([name, value]) => ["-e", `${name}=${value}`]),
    ...["sh", "-c", '"$@"; echo "exit code $?"; exec sleep 600', "sh", ...command],
  );
  const screen = async () => (await tmux("capture-pane", "-p")).stdout;
  return {
    async see(text) {
      const shows = (shown: string) => (typeof text === "string" ? shown.includes(text) : text.test(shown));
      let shown = "";
      for (const until = Date.now() + 20_000; Date.now() < until; await sleep(50)) {
        shown = await screen();
        if (shows(shown)) return shown;
      }
      throw new Error(`The terminal never showed ${text}. It shows:\n${shown}`);
    },
    async press(...keys) {
      await tmux("send-keys", ...keys);
    },
    [Symbol.asyncDispose]: async () => {
      await tmux("kill-server").catch(() => {});
    },
  };
}
