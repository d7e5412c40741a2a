import type { CrowdaiError } from "@crowdai/shared";
import type { Git } from "../git/git.ts";
import { type Host, refused, unreachable } from "./host-errors.ts";

const MAX_PUSH_MS = 8 * 60_000;
/** A host that is working sends something every few seconds. */
const SILENCE_S = 60;
const TRIES = 3;

export interface MirrorOptions {
  git: Git;
  host: Host;
  /** The user name under which the host accepts the token. */
  user: string;
  /** The address to push to, without credentials. */
  url: string;
  /** The bare repository. */
  path: string;
  timeoutMs?: number;
  /** Ends the push. */
  signal?: AbortSignal | undefined;
}

/**
 * Makes the branches and tags at `url` equal to those of the bare repository. The token is only in git's
 * environment, bound to that address; git follows no redirect with it.
 */
export async function pushMirror(options: MirrorOptions): Promise<void> {
  for (let tries = 1; ; tries++) {
    const failure = await push(options);
    if (failure === null) return;
    // Another broker is pushing to the same ref; a retry finds less to push.
    if (
      tries === TRIES ||
      !/cannot lock ref|reference already exists|failed to update ref/i.test(failure.said)
    )
      throw failure.error;
  }
}

async function push(options: MirrorOptions): Promise<{ said: string; error: CrowdaiError } | null> {
  const { git, host, user, url, path, timeoutMs = MAX_PUSH_MS, signal } = options;
  const { protocol } = new URL(url);
  const credentials = Buffer.from(`${user}:${host.token}`).toString("base64");
  const ended = await git.run(
    [
      "push",
      "--porcelain",
      "--prune",
      "--force",
      "--no-verify",
      url,
      "refs/heads/*:refs/heads/*",
      "refs/tags/*:refs/tags/*",
    ],
    {
      dir: path,
      timeoutMs,
      ...(signal ? { signal } : {}),
      cpuSeconds: 300,
      output: 16 * 1024 * 1024,
      env: {
        GIT_ALLOW_PROTOCOL: protocol.slice(0, -1),
        ...inEnvironment({
          [`http.${url}.extraHeader`]: `Authorization: Basic ${credentials}`,
          "http.followRedirects": "false",
          "http.lowSpeedLimit": "1",
          "http.lowSpeedTime": String(SILENCE_S),
        }),
      },
    },
  );
  if (ended.code === 0) return null;
  if (ended.ended) return { said: "", error: unreachable(host, "took too long to accept a push.") };
  const said = `${ended.stderr}\n${ended.stdout.toString("utf8")}`;
  return { said, error: pushError(host, said) };
}

/** Returns the error that git's output stands for. */
export function pushError(host: Host, said: string): CrowdaiError {
  if (/Authentication failed|could not read (?:Username|Password)|error: 401\b/i.test(said))
    return refused(
      host,
      "rejected the token on a push.",
      `Set ${host.tokenName} to a valid token and restart the broker.`,
    );
  const status = Number(/returned error: (\d{3})/.exec(said)?.[1] ?? 0);
  const words = remoteMessage(said);
  if (status === 429) return unreachable(host, "asks to wait before the next push (429).", { after: 60 });
  if (status === 403 || /permission to .* denied/i.test(said))
    return refused(
      host,
      `denied the push${words}.`,
      `The repository must not be archived, and the token needs ${host.rights}.`,
    );
  if (status === 404 || /repository .*not found/i.test(said))
    return unreachable(host, "no longer has the repository; the broker creates it again.");
  if (/\[remote rejected\]|\[rejected\]|hook declined|protected branch|push declined/i.test(said))
    return refused(
      host,
      `rejected the push${words}.`,
      "Disable the rule that it names for these repositories.",
    );
  return unreachable(host, `did not accept a push${words}.`);
}

function remoteMessage(said: string): string {
  const lines = said
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^(?:remote:|fatal:|error:|!)/.test(line) && !/^remote:\s*$/.test(line))
    .map((line) => line.replace(/^(?:remote|fatal|error):\s*/, ""));
  return lines.length > 0 ? `: ${lines.join("; ").slice(0, 300)}` : "";
}

function inEnvironment(settings: Record<string, string>): Record<string, string> {
  const all = Object.entries(settings);
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(all.length)],
    ...all.flatMap(([name, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, name],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]);
}
