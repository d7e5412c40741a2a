import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { embeddedFiles } from "../config/embedded-files.ts";

/**
 * Secrets in the keychain of the operating system. Rejects with KeychainUnavailable if no keychain answers.
 */
export interface Keychain {
  get(account: string): Promise<string | null>;
  set(account: string, secret: string): Promise<void>;
  remove(account: string): Promise<void>;
}

export class KeychainUnavailable extends Error {
  override readonly name = "KeychainUnavailable";
}

const SERVICE = "crowdai";

/**
 * A keychain is native code that may crash, or wait for a dialog that no one sees. It therefore runs in a
 * child process with a time limit; the secret passes through stdin and stdout.
 *
 * On Linux only the Secret Service is used. By default the library falls back to the kernel's session
 * keyring, which loses the key at the end of the session.
 */
const CHILD = `
let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => { text += part; }).on("end", async () => {
  const { library, action, service, account, secret } = JSON.parse(text);
  let answer;
  try {
    const { AsyncEntry } = require(library);
    const entry = new AsyncEntry(service, account, { linux: { store: "secret-service" } });
    if (action === "set") await entry.setPassword(secret);
    const value = action === "get" ? await entry.getPassword() : null;
    if (action === "remove") await entry.deletePassword();
    answer = { ok: true, value: value ?? null };
  } catch (error) {
    answer = { ok: false, reason: String(error && error.message || error) };
  }
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
});
`;

export interface KeychainOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** How long to wait for the keychain; longer if a person can unlock it. */
  timeoutMs: number;
}

/** Returns the keychain of the operating system. */
export function createKeychain({ env, timeoutMs }: KeychainOptions): Keychain {
  const ask = async (action: string, account: string, secret?: string): Promise<string | null> => {
    if (process.platform === "linux" && !hasSessionBus(env))
      throw new KeychainUnavailable("there is no Secret Service: no D-Bus session was found");
    const request = JSON.stringify({ library: library(), action, service: SERVICE, account, secret });
    const answer = await runChild(request, env, timeoutMs);
    if (!answer.ok) throw new KeychainUnavailable(answer.reason);
    return answer.value;
  };
  return {
    get: (account) => ask("get", account),
    set: async (account, secret) => void (await ask("set", account, secret)),
    remove: async (account) => void (await ask("remove", account)),
  };
}

type KeychainAnswer = { ok: true; value: string | null } | { ok: false; reason: string };

/** Runs the child process with one request and returns its answer. Never rejects. */
function runChild(request: string, env: KeychainOptions["env"], timeoutMs: number): Promise<KeychainAnswer> {
  return new Promise((resolve) => {
    const { CROWDAI_API_KEY: _, NODE_OPTIONS: __, ...rest } = env;
    const child = spawn(process.execPath, ["-e", CHILD], {
      env: rest as NodeJS.ProcessEnv,
      stdio: ["pipe", "pipe", "ignore"],
      windowsHide: true,
    });
    let text = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      resolve({ ok: false, reason: `it did not answer within ${timeoutMs / 1000} s` });
    }, timeoutMs);
    child.on("error", (error) => settle({ ok: false, reason: error.message }));
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    child.on("close", (code, signal) => {
      try {
        settle(JSON.parse(text) as KeychainAnswer);
      } catch {
        settle({ ok: false, reason: `its library exited with ${signal ?? code}` });
      }
    });
    child.stdin.end(request);
    function settle(answer: KeychainAnswer): void {
      clearTimeout(timer);
      resolve(answer);
    }
  });
}

function library(): string {
  if (embeddedFiles()) throw new KeychainUnavailable("the standalone executable does not use one");
  try {
    return createRequire(import.meta.url).resolve("keytar");
  } catch {
    throw new KeychainUnavailable("its library is not installed");
  }
}

function hasSessionBus(env: KeychainOptions["env"]): boolean {
  if (env.DBUS_SESSION_BUS_ADDRESS) return true;
  return env.XDG_RUNTIME_DIR !== undefined && existsSync(join(env.XDG_RUNTIME_DIR, "bus"));
}
