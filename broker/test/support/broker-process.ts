import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

/** A broker in its own process, which can be killed with -9 and restarted with the same data. */
export interface BrokerProcess {
  /** Contains "challenges" and "data". */
  readonly folder: string;
  /** Of the latest process. */
  readonly pid: number | undefined;
  /** Resolves with its URL once it accepts connections. */
  start(env?: Record<string, string>): Promise<string>;
  kill(): Promise<void>;
  /** Kills the process and removes the folder. */
  close(): Promise<void>;
}

export async function createBrokerProcess({ withGrader = true } = {}): Promise<BrokerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-killed-"));
  const data = join(folder, "data");
  const note = join(data, "broker.json");
  const places = ["--data", data, "--challenges", join(folder, "challenges")];
  let child: ChildProcess | undefined;

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  return {
    folder,
    get pid() {
      return child?.pid;
    },
    async start(env = {}) {
      await rm(note, { force: true });
      const args = [BROKER, "start", "--port", "0", ...places, ...(withGrader ? ["--with-grader"] : [])];
      child = spawn(process.execPath, args, {
        stdio: "ignore",
        env: { ...process.env, LOG_LEVEL: "silent", ...env },
      });
      return until(async () => {
        const text = await readFile(note, "utf8").catch(() => "");
        return text.endsWith("}") && (JSON.parse(text).url as string);
      }, 60_000);
    },
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
