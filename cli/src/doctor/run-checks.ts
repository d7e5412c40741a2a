import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { readAccount } from "../client/http/account.ts";
import { locate } from "../client/http/broker-address.ts";
import { createHttpClient } from "../client/http/http-client.ts";
import { request } from "../client/http/http-request.ts";
import { healthSchema } from "../client/http/is-broker.ts";
import { proxyAgents } from "../client/http/proxy-agents.ts";
import { readText } from "../client/http/response-body.ts";
import { runtime } from "../connection/client-name.ts";
import type { Connection } from "../connection/connection.ts";
import { KeychainUnavailable } from "../credentials/keychain.ts";
import type { Io } from "../terminal/io.ts";
import { durationText } from "../terminal/time.ts";
import { checkGitConnection, checkProxy } from "./check-network.ts";
import type { CheckOutcome, DoctorCheck } from "./check-result.ts";

const CLOCK_TOLERANCE_SECONDS = 30;

/** Runs all checks, in the order in which a person would fix problems. */
export async function runChecks(io: Io, connection: Connection): Promise<DoctorCheck[]> {
  const settings = await runCheck("settings", async () => {
    const { broker, sources } = connection.settings;
    return ok(`broker ${broker} (from ${sources.broker}), user settings in ${connection.settings.configDir}`);
  });
  const local = [
    await runCheck("runtime", async () => ok(runtime())),
    settings,
    await runCheck("git", () => git()),
    await runCheck("keychain", () => keychain(connection)),
  ];
  if (settings.status === "failed") return local;
  local.push(await runCheck("key file", () => keyFile(connection)));

  const broker = new URL(connection.settings.broker);
  local.push(await runCheck("proxy", async () => checkProxy(io, broker)));
  const [reached, gitReached] = await Promise.all([
    reachBroker(io, broker),
    runCheck("git connection", () => checkGitConnection(io, broker)),
  ]);
  const key =
    reached.broker.status === "failed"
      ? { name: "key", status: "skipped" as const, message: "the broker was not reached" }
      : await runCheck("key", () => owner(connection));
  return [...local, reached.broker, gitReached, reached.clock, key];
}

async function git(): Promise<CheckOutcome> {
  try {
    const { stdout } = await promisify(execFile)("git", ["--version"], { timeout: 5_000 });
    return ok(stdout.trim());
  } catch {
    return { status: "warning", message: "not found; submissions cannot include code" };
  }
}

async function keychain({ keychain }: Connection): Promise<CheckOutcome> {
  try {
    await keychain.get("doctor");
    return ok("available");
  } catch (error) {
    if (!(error instanceof KeychainUnavailable)) throw error;
    return {
      status: "warning",
      message: `${error.message}; API keys are stored in a file that only you can read`,
    };
  }
}

async function keyFile({ keys }: Connection): Promise<CheckOutcome> {
  const found = await stat(keys.file).catch(() => null);
  if (!found) return { status: "skipped", message: "does not exist" };
  // On Windows the mode means nothing; the user's folder protects the file.
  if (process.platform !== "win32" && (found.mode & 0o077) !== 0)
    throw new CrowdaiError("config_invalid", `Other users can read ${keys.file}.`, {
      next: `Run \`chmod 600 '${keys.file}'\`. If others use this machine, ask for a new key.`,
    });
  return ok(`${keys.file}, readable only by you`);
}

async function owner(connection: Connection): Promise<CheckOutcome> {
  // Before connection.key, which may ask a person: a check asks nothing.
  await connection.keys.find();
  const source = await connection.keySource();
  const { participant } = await readAccount(await connection.http());
  return ok(`${participant.name}, from ${source}`);
}

/** Asks the broker once, both whether it is one and what time it has. */
async function reachBroker(io: Io, broker: URL): Promise<{ broker: DoctorCheck; clock: DoctorCheck }> {
  const options = {
    signal: io.signal,
    agents: proxyAgents(io.env),
    connectMs: 5_000,
    idleMs: 5_000,
  };
  let date: string | undefined;
  let asked = 0;
  const found = await runCheck("broker", async () => {
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
    // Throws what answered instead, if it is another server or a proxy.
    await createHttpClient({ ...options, broker, client: runtime(), repeatMs: 0 }).get(
      "/healthz",
      healthSchema,
    );
    return ok(`${broker.href.replace(/\/$/, "")} answered in ${milliseconds} ms`);
  });
  const clock = await runCheck("clock", async () => {
    if (!date) return { status: "skipped", message: "the broker was not reached" };
    const seconds = Math.round((asked - Date.parse(date)) / 1000);
    const isClose = Math.abs(seconds) <= CLOCK_TOLERANCE_SECONDS;
    if (isClose) return ok("in sync with the broker");
    const message = `${offsetText(Math.abs(seconds))} ${seconds > 0 ? "ahead of" : "behind"} the broker, whose clock decides about deadlines`;
    return { status: "warning", message };
  });
  return { broker: found, clock };
}

function offsetText(seconds: number): string {
  const days = Math.round(seconds / 86_400);
  return days < 2 ? durationText(seconds * 1000) : `${days} days`;
}

function ok(message: string): CheckOutcome {
  return { status: "ok", message };
}

async function runCheck(name: string, test: () => Promise<CheckOutcome>): Promise<DoctorCheck> {
  try {
    return { name, ...(await test()) };
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    return { name, status: "failed", message: error.message, error };
  }
}
