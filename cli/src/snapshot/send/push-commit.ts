import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CleanGit, GitFailure } from "../../git/clean-git.ts";

export interface PushOptions {
  git: CleanGit;
  commit: string;
  /** A snapshot that went there before, so that only what is new is sent; null when there is none. */
  before: string | null;
  ref: string;
  url: URL;
  /** The API key. It travels in a header that is named in git's environment alone: in no argument, address or file. */
  key: string;
  /** A folder of this run's own. */
  scratch: string;
  signal?: AbortSignal;
}

/** A push that did not come through. `refused` says that the broker will not take this commit, however often it is sent. */
export class PushFailure extends Error {
  override readonly name = "PushFailure";
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}

/** Sends a commit and what it is made of. Safe to repeat. Throws PushFailure. */
export async function pushCommit(options: PushOptions): Promise<void> {
  const { git, commit, before, ref, url, key, scratch, signal } = options;
  const basic = Buffer.from(`crowdai:${key}`).toString("base64");
  const settings: [string, string][] = [
    // Only for this address: nobody else is shown the key, and redirects are not followed.
    [`http.${url.href}.extraHeader`, `Authorization: Basic ${basic}`],
    ["advice.graftFileDeprecated", "false"],
    ["http.lowSpeedLimit", "1"],
    ["http.lowSpeedTime", "120"],
  ];
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  for (const [i, [name, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = name;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  if (before && before !== commit) {
    // Snapshots have no parents. As if it had one, git leaves out what the other side has by that one; what is sent stays as it is.
    env.GIT_GRAFT_FILE = join(scratch, `grafts-${commit}`);
    writeFileSync(env.GIT_GRAFT_FILE, `${commit} ${before}\n`);
  }
  try {
    await git.run(["push", "--porcelain", "--no-verify", url.href, `${commit}:${ref}`], { env, signal });
  } catch (failure) {
    if (failure instanceof GitFailure) throw explain(failure, key, basic);
    if ((failure as Error).name === "AbortError") throw new PushFailure("it was interrupted", false);
    throw failure;
  }
}

function explain({ stderr, stdout }: GitFailure, ...secrets: string[]): PushFailure {
  const text = secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), `${stdout}\n${stderr}`);
  const rejected = text.match(/^!\t[^\t]*\t\[remote rejected\] \(?(.*?)\)?$/m)?.[1];
  const remote = [...text.matchAll(/^remote: (?:error: |fatal: )?(.+?)\s*$/gm)].map(([, line]) => line!);
  const fatal = text.match(/^(?:fatal|error): (.+)$/m)?.[1];
  const reason =
    [rejected, ...remote.slice(0, 3)].filter(Boolean).join("; ") || fatal || "git gave no reason";
  // A broker that is short of something says so with a status, which git shows as "The requested URL returned error".
  return new PushFailure(reason, rejected !== undefined);
}
