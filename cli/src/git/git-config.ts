import { accessSync, constants, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type CleanGit, GitFailure } from "./clean-git.ts";
import { ignoreRulesInvalid } from "./ignore-rules.ts";
import { isReadable } from "./path-access.ts";
import type { UserRepository } from "./user-repository.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The user's git settings that a snapshot uses. They are read as data; git never acts on them. */
export interface UserGitSettings {
  name: string | null;
  email: string | null;
  /** Files with ignore patterns, lowest priority first. */
  excludeFiles: string[];
  objectFormat: "sha1" | "sha256";
  /**
   * Settings of `core` that decide which names a pattern matches, and whether a file differs from its object.
   */
  core: Record<string, string>;
}

const TRUE = ["true", "yes", "on", "1"];
/** None of these settings names a program. */
const CORE_SETTINGS = {
  ignorecase: TRUE,
  precomposeunicode: TRUE,
  autocrlf: [...TRUE, "input"],
  eol: ["lf", "crlf", "native"],
};

/**
 * Reads the settings files with `git config --list`, which runs no program that they name. Throws
 * file_unreadable if a file with ignore patterns cannot be read, ignore_rules_invalid if a settings file
 * cannot be parsed.
 */
export async function readUserSettings(
  git: CleanGit,
  repository: UserRepository | null,
  env: Env,
): Promise<UserGitSettings> {
  const home = env.HOME || env.USERPROFILE;
  const xdg = env.XDG_CONFIG_HOME || (home && join(home, ".config"));
  const users = [
    xdg && join(xdg, "git", "config"),
    env.GIT_CONFIG_GLOBAL || (home && join(home, ".gitconfig")),
  ].filter((file): file is string => Boolean(file) && mayRead(file as string));
  const ofRepository = repository
    ? [join(repository.commonDir, "config"), join(repository.gitDir, "config.worktree")]
    : [];
  const files = [...users, ...ofRepository.filter(isReadable)];
  const found = new Map<string, string>();
  const lists = files.map((file) =>
    git
      .run(["config", "--file", file, "--no-includes", "-z", "--list"])
      .then((out) => out.toString())
      .catch((failure) => {
        const reason = failure instanceof GitFailure && failure.stderr.match(/bad config.*/)?.[0];
        if (reason) throw ignoreRulesInvalid(file, `git reports "${reason}"`, failure);
        // It is a folder, or was removed.
        return "";
      }),
  );
  for (const list of await Promise.all(lists))
    for (const entry of list.split("\0").filter(Boolean)) {
      const end = entry.indexOf("\n");
      if (end > 0) found.set(entry.slice(0, end), entry.slice(end + 1));
    }

  const chosen = found.get("core.excludesfile")?.replace(/^~(?=\/)/, home ?? "~");
  const general = (chosen && resolve(repository?.top ?? ".", chosen)) ?? (xdg && join(xdg, "git", "ignore"));
  const own = repository && join(repository.commonDir, "info", "exclude");
  return {
    name: found.get("user.name")?.trim() || null,
    email: found.get("user.email")?.trim() || null,
    // Like git, skips the user's own file if it is unreadable, but never the repository's.
    excludeFiles: [
      ...(general && mayRead(general) && isFile(general) ? [general] : []),
      ...(own && isReadable(own) && isFile(own) ? [own] : []),
    ],
    objectFormat: found.get("extensions.objectformat") === "sha256" ? "sha256" : "sha1",
    core: Object.fromEntries(
      Object.entries(CORE_SETTINGS).flatMap(([name, values]) => {
        const value = found.get(`core.${name}`)?.toLowerCase() ?? "";
        return values.includes(value) ? [[name, value]] : [];
      }),
    ),
  };
}

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Git reads patterns from regular files only, and fails on a folder. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
