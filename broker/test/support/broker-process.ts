import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

/** A broker in a process of its own, which is killed with -9 and started again on what it left. */
export interface BrokerProcess {
  /** Holds "challenges" and "data". */
  readonly folder: string;
  /** Of the process that was started last. */
  readonly pid: number | undefined;
  /** Gives its address once it takes connections. */
  start(env?: Record<string, string>): Promise<string>;
  kill(): Promise<void>;
  /** Kills it and removes the folder. */
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
