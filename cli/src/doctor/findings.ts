import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { readAccount } from "../client/http/account.ts";
import { locate } from "../client/http/broker-address.ts";
import { request } from "../client/http/http-request.ts";
import { isBroker } from "../client/http/is-broker.ts";
import { proxyAgents } from "../client/http/proxy-agents.ts";
import { readText } from "../client/http/response-body.ts";
import { type Context, runtime } from "../context.ts";
import { KeychainUnavailable } from "../credentials/keychain.ts";

export interface Finding {
  name: string;
  status: "ok" | "warning" | "failed" | "skipped";
  message: string;
  error?: CrowdaiError;
}

type Result = Omit<Finding, "name">;
const CLOCK_TOLERANCE_SECONDS = 30;

/** All findings, in the order in which a person would mend what is wrong. */
export async function findings(context: Context): Promise<Finding[]> {
  const settings = await look("settings", async () => {
    const { broker, sources } = context.settings;
    return ok(`broker ${broker} (${sources.broker}), settings in ${context.settings.configDir}`);
  });
  const local = [
    await look("runtime", async () => ok(runtime())),
    settings,
    await look("git", () => git()),
    await look("keychain", () => keychain(context)),
  ];
  if (settings.status === "failed") return local;
  local.push(await look("key file", () => keyFile(context)));

  const reached = await reach(context);
  const key =
    reached.broker.status === "failed"
      ? { name: "key", status: "skipped" as const, message: "no broker to ask" }
      : await look("key", () => whose(context));
  return [...local, reached.broker, reached.clock, key];
}

async function git(): Promise<Result> {
  try {
    const { stdout } = await promisify(execFile)("git", ["--version"], { timeout: 5_000 });
    return ok(stdout.trim());
  } catch {
    return { status: "warning", message: "not found; code cannot be captured with a submission" };
  }
}

async function keychain({ keychain }: Context): Promise<Result> {
  try {
    await keychain.get("doctor");
    return ok("answers");
  } catch (error) {
    if (!(error instanceof KeychainUnavailable)) throw error;
    return { status: "warning", message: `${error.message}; keys are kept in a file that only you can read` };
  }
}

async function keyFile({ keys }: Context): Promise<Result> {
  const found = await stat(keys.file).catch(() => null);
  if (!found) return { status: "skipped", message: "there is none" };
  // On Windows the mode says nothing; the user's folder is what protects the file.
  if (process.platform !== "win32" && (found.mode & 0o077) !== 0)
    throw new CrowdaiError("config_invalid", `${keys.file} can be read by others.`, {
      next: `Run \`chmod 600 '${keys.file}'\`, and ask for a new key if others use this machine.`,
    });
  return ok(`${keys.file}, readable by you alone`);
}

async function whose(context: Context): Promise<Result> {
  await context.key();
  const source = (await context.keys.find())?.source;
  const { participant } = await readAccount(await context.http());
  return ok(`${participant.name}, from ${source}`);
}

/** One question to the broker answers two: whether it is one, and what time it has. */
async function reach(context: Context): Promise<{ broker: Finding; clock: Finding }> {
  const broker = new URL(context.settings.broker);
  const options = {
    signal: context.signal,
    agents: proxyAgents(context.env),
    connectMs: 5_000,
    idleMs: 5_000,
  };
  let date: string | undefined;
  let asked = 0;
  const found = await look("broker", async () => {
    const began = performance.now();
    try {
      const reply = await request(locate(broker, "/healthz"), options);
      asked = Date.now();
      date = reply.headers.date;
      await readText(reply, 64 * 1024);
    } catch (cause) {
      throw new CrowdaiError("broker_unreachable", (cause as Error).message, { cause });
    }
    const milliseconds = Math.round(performance.now() - began);
    if (!(await isBroker(broker, options))) throw new CrowdaiError("not_a_broker");
    return ok(`${context.settings.broker} answers within ${milliseconds} ms`);
  });
  const clock = await look("clock", async () => {
    if (!date) return { status: "skipped", message: "nobody to compare with" };
    const seconds = Math.round((asked - Date.parse(date)) / 1000);
    const isClose = Math.abs(seconds) <= CLOCK_TOLERANCE_SECONDS;
    if (isClose) return ok("agrees with the broker's");
    const message = `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the broker's, whose clock counts`;
    return { status: "warning", message };
  });
  return { broker: found, clock };
}

function ok(message: string): Result {
  return { status: "ok", message };
}

async function look(name: string, test: () => Promise<Result>): Promise<Finding> {
  try {
    return { name, ...(await test()) };
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    return { name, status: "failed", message: error.message, error };
  }
}
