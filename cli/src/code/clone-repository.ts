import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type CodePlace, CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { type CleanGit, cleanGit, GitFailure } from "../git/clean-git.ts";
import { readProxyAnswer } from "../git/proxy-answer.ts";
import type { Io } from "../terminal/io.ts";
import type { CloneSource } from "./code-location.ts";

// Neither the user's settings nor the cloned files take effect: no hooks, filters, submodules or other
// transports.
const SETTINGS = [
  ["core.hooksPath", "/dev/null"],
  ["core.protectHFS", "true"],
  ["core.protectNTFS", "true"],
  ["fetch.fsckObjects", "true"],
  ["fetch.recurseSubmodules", "false"],
  ["submodule.recurse", "false"],
  ["http.followRedirects", "false"],
] as const;

// They take precedence over those in the tree: the files are as they were captured, byte for byte.
const NO_CONVERSION = "* -text -ident !eol !filter !working-tree-encoding\n";

export interface CloneOptions extends CloneSource {
  /** The target: a new or empty folder. */
  folder: string;
  /** A branch to create at the tag. Without one, the tag is checked out with a detached HEAD. */
  branch?: string;
  /** Additional remotes, by name. */
  remotes?: Readonly<Record<string, string>>;
}

/** Returns the named folder, else one inside the current folder; its default name never leads out of it. */
export function folderFor(cwd: string, { challenge, submission }: CodePlace, named?: string): string {
  const plain = `${challenge}-${submission}`.replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+/, "");
  return resolve(cwd, named ?? plain);
}

/**
 * Clones the repository and checks out the tag of the submission. Removes what it created if it fails. Throws
 * folder_exists, git_missing, git_failed.
 */
export async function cloneRepository(
  io: Pick<Io, "cwd" | "env" | "signal">,
  work: CloneOptions,
): Promise<void> {
  const { folder, url, key, tag, branch, remotes = {} } = work;
  const { cwd, env, signal } = io;
  const git = cleanGit(join(folder, ".git"), cwd, env);
  const made = await claimFolder(folder);
  const scratch = await mkdtemp(join(tmpdir(), "crowdai-clone-"));
  const network = git.network(url, scratch);
  const given = { ...network.env, ...settings(url, key, network.settings) };
  const run = (args: string[]) =>
    git.run(args, { cwd: folder, signal, env: { ...given, GIT_WORK_TREE: folder } });
  const tags = "+refs/tags/submission-*:refs/tags/submission-*";
  try {
    await init(git, folder);
    for (const [name, address] of [["origin", url.href], ...Object.entries(remotes)])
      await run(["remote", "add", "--", name as string, address as string]);
    await run(["fetch", "-q", "--no-tags", "origin", "+refs/heads/*:refs/remotes/origin/*", tags]);
    await requireTag(git, folder, tag);
    const attributes = join(folder, ".git/info/attributes");
    await mkdir(join(folder, ".git/info"), { recursive: true });
    await writeFile(attributes, NO_CONVERSION);
    const at = `refs/tags/${tag}`;
    await run(branch ? ["checkout", "-q", "-b", branch, at] : ["checkout", "-q", "--detach", at]);
    // A fork is the user's own project, in which attributes work as everywhere.
    if (branch) await rm(attributes);
  } catch (failure) {
    await undo(folder, made);
    throw explain(failure, key, signal);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Without this, an empty answer of a proxy passes as an empty repository. */
async function requireTag(git: CleanGit, folder: string, tag: string): Promise<void> {
  const refs = await git.run(["for-each-ref", "--format=%(refname)"], { cwd: folder });
  const names = String(refs).split("\n");
  if (names.includes(`refs/tags/${tag}`)) return;
  if (names.join("") === "")
    throw new CrowdaiError(
      "proxy_refused",
      "The code could not be cloned: a proxy answered in place of the git server, without any commit.",
    );
  throw new CrowdaiError("git_failed", `The code could not be cloned: the repository has no tag ${tag}.`);
}

async function init(git: CleanGit, folder: string): Promise<void> {
  await git.run(["init", "-q", "--template=", "--initial-branch=main"], {
    cwd: folder,
    env: { GIT_WORK_TREE: folder },
  });
  await git.run(["config", "--unset-all", "core.worktree"], { cwd: folder }).catch(() => {});
}

/**
 * Returns git settings for the environment only: no argument, address or file of the clone contains the key.
 */
function settings(
  url: URL,
  key: string | null,
  more: readonly (readonly [string, string])[],
): Record<string, string> {
  const header = key && `Authorization: Basic ${Buffer.from(`crowdai:${key}`).toString("base64")}`;
  const all = [...SETTINGS, ...more, ...(header ? [[`http.${url.href}.extraHeader`, header] as const] : [])];
  return Object.fromEntries([
    ["GIT_CONFIG_COUNT", String(all.length)],
    ...all.flatMap(([name, value], i) => [
      [`GIT_CONFIG_KEY_${i}`, name],
      [`GIT_CONFIG_VALUE_${i}`, value],
    ]),
  ]);
}

/** Creates the folder and returns true; returns false if it exists and is empty. Throws folder_exists. */
async function claimFolder(folder: string): Promise<boolean> {
  try {
    if ((await readdir(folder)).length === 0) return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      makeFolder(folder);
      return true;
    }
    if (code !== "ENOTDIR") throw error;
  }
  throw new CrowdaiError("folder_exists", `${folder} already exists and is not empty.`);
}

async function undo(folder: string, made: boolean): Promise<void> {
  if (made) return rm(folder, { recursive: true, force: true });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

function explain(failure: unknown, key: string | null, signal: AbortSignal): unknown {
  if (signal.aborted)
    return new CrowdaiError("interrupted", "Interrupted; nothing was cloned.", { next: "" });
  if (!(failure instanceof GitFailure)) return failure;
  const answer = readProxyAnswer(failure.stderr);
  if (answer)
    return new CrowdaiError(
      answer.isTemporary ? "broker_unreachable" : "proxy_refused",
      `The code could not be cloned: ${answer.reason}.`,
      { details: { status: answer.status } },
    );
  const basic = key && Buffer.from(`crowdai:${key}`).toString("base64");
  let reason = failure.stderr.trim().split("\n").slice(0, 5).join("; ");
  for (const secret of [key, basic]) if (secret) reason = reason.replaceAll(secret, "…");
  return new CrowdaiError("git_failed", `The code could not be cloned: ${reason || "git gave no reason"}`, {
    next: "Check the network, then run the command again.",
  });
}
