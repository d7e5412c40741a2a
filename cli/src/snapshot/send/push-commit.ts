import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CleanGit, GitFailure } from "../../git/clean-git.ts";
import { readProxyAnswer } from "../../git/proxy-answer.ts";

export interface PushOptions {
  git: CleanGit;
  commit: string;
  /** A commit that the broker has already, so that only what is new is sent; null if there is none. */
  before: string | null;
  ref: string;
  url: URL;
  /**
   * The API key. Git gets it as a header through its environment, never in an argument, an address or a file.
   */
  key: string;
  /** A temporary folder of this run. */
  scratch: string;
  signal?: AbortSignal;
}

/**
 * A push that failed. `by` names what will not accept this commit, however often it is sent: the broker, or a
 * proxy on the way to it; null if sending it again may help.
 */
export class PushFailure extends Error {
  override readonly name = "PushFailure";
  readonly by: "broker" | "proxy" | null;
  constructor(message: string, by: PushFailure["by"]) {
    super(message);
    this.by = by;
  }
}

/** Pushes a commit with its objects. Safe to repeat. Throws PushFailure. */
export async function pushCommit(options: PushOptions): Promise<void> {
  const { git, commit, before, ref, url, key, scratch, signal } = options;
  const basic = Buffer.from(`crowdai:${key}`).toString("base64");
  const network = git.network(url, scratch);
  const settings: [string, string][] = [
    ...network.settings,
    // Only this address gets the key: redirects are not followed.
    [`http.${url.href}.extraHeader`, `Authorization: Basic ${basic}`],
    ["advice.graftFileDeprecated", "false"],
  ];
  const env: Record<string, string> = { ...network.env, GIT_CONFIG_COUNT: String(settings.length) };
  for (const [i, [name, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = name;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  if (before && before !== commit) {
    // Snapshots have no parents. A graft makes git treat `before` as one and skip the objects that the broker
    // has with it; the commit itself stays as it is.
    env.GIT_GRAFT_FILE = join(scratch, `grafts-${commit}`);
    writeFileSync(env.GIT_GRAFT_FILE, `${commit} ${before}\n`);
  }
  try {
    await git.run(["push", "--porcelain", "--no-verify", url.href, `${commit}:${ref}`], { env, signal });
  } catch (failure) {
    if (failure instanceof GitFailure) throw explain(failure, key, basic);
    if ((failure as Error).name === "AbortError") throw new PushFailure("the push was interrupted", null);
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
  if (rejected !== undefined) return new PushFailure(reason, "broker");
  const answer = readProxyAnswer(text);
  if (answer === null) return new PushFailure(reason, null);
  return new PushFailure(answer.reason, answer.isTemporary ? null : "proxy");
}
