import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./root.ts";

const program = join(root, "broker/bin/crowdai-broker.js");
/** On a machine that is busy with other work. */
const START_MS = 90_000;
/** Settings of a real broker on this machine. */
const BROKER_SETTINGS =
  /^(DATABASE_URL|REDIS_URL|S3_.+|AWS_.+|CODE_HOST|GIT(HUB|LAB)_.+|WEBAPP_.+|PUBLIC_URL|LOG_LEVEL)$/;

export interface RunningBroker {
  url: string;
  process: ChildProcess;
  /** Registers a participant with the running broker. Resolves to the API key. */
  addParticipant(name: string): Promise<string>;
  /** Lets it stop gracefully. */
  stop(): Promise<void>;
}

export interface BrokerOptions {
  data: string;
  challenges: string;
  /** The program that runs the built command: Node.js or Bun. Default: that of this process. */
  runtime?: string;
  /** Added to this process's environment, from which a real broker's settings are left out. */
  env?: NodeJS.ProcessEnv;
  /** A free one by default. */
  port?: number;
  /** Whether it grades in the same process. Default true. */
  withGrader?: boolean;
  /** How many jobs it grades at once. One for each core by default. */
  concurrency?: number;
}

/**
 * Starts the built `crowdai-broker start` on a free port and waits until it is ready. Its output goes to
 * data/broker.log.
 */
export async function startBroker({
  data,
  challenges,
  runtime = process.execPath,
  env,
  port = 0,
  withGrader = true,
  concurrency,
}: BrokerOptions): Promise<RunningBroker> {
  const args = ["--host", "127.0.0.1", "--port", String(port), "--data", data, "--challenges", challenges];
  if (withGrader) args.push("--with-grader");
  if (concurrency !== undefined) args.push("--concurrency", String(concurrency));
  const environment = { ...withoutBrokerSettings(), ...env };
  const log = openSync(join(data, "broker.log"), "a");
  const child = spawn(runtime, [program, "start", ...args], {
    stdio: ["ignore", log, log],
    env: environment,
  });
  closeSync(log);
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  child.on("exit", () => process.off("exit", kill));
  const exited = once(child, "exit");
  const { url } = await ready(child, data);
  return {
    url,
    process: child,
    addParticipant: async (name) => {
      const { stdout } = await promisify(execFile)(
        runtime,
        [program, "participant", "add", name, "--data", data],
        { env: environment },
      );
      return stdout.trim();
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await exited;
    },
  };
}

/** This process's environment without the settings of a real broker. */
export function withoutBrokerSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !BROKER_SETTINGS.test(name)));
}

/** Waits for broker.json, which the broker writes when it takes connections. */
async function ready(child: ChildProcess, data: string): Promise<{ url: string }> {
  for (const deadline = Date.now() + START_MS; Date.now() < deadline; ) {
    try {
      const said = JSON.parse(readFileSync(join(data, "broker.json"), "utf8")) as {
        url: string;
        pid: number;
      };
      if (said.pid === child.pid) return said;
    } catch {
      // Not written yet, or not to its end.
    }
    if (child.exitCode !== null || child.signalCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill("SIGKILL");
  throw new Error(`the broker did not start:\n${readFileSync(join(data, "broker.log"), "utf8")}`);
}
