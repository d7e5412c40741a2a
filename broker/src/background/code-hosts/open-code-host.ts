import type { CodeHostSettings } from "../../base/config.ts";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createLocalHost } from "./local.ts";

// The libraries of external hosts take as long to load as the rest of the broker, so only a broker that uses
// one loads it.

/**
 * Opens the code host that the settings name. It sends no request yet: an unreachable host does not keep a
 * broker from starting.
 */
export async function openCodeHost(
  settings: CodeHostSettings,
  { git, baseUrl, paced }: { git: Git; baseUrl: () => string; paced: boolean },
): Promise<CodeHost> {
  if (settings.kind === "github")
    return (await import("./github.ts")).createGithubHost({ ...settings, git, paced });
  if (settings.kind === "gitlab") return (await import("./gitlab.ts")).createGitlabHost({ ...settings, git });
  return createLocalHost(baseUrl);
}

/**
 * Returns where git finds a repository at an external host; null when the broker itself serves the
 * repositories.
 */
export async function addressAtHost(
  settings: CodeHostSettings,
  repository: HostedRepository,
): Promise<string | null> {
  if (settings.kind === "github")
    return `${(await import("./github.ts")).githubAddress(settings, repository)}.git`;
  if (settings.kind === "gitlab")
    return `${(await import("./gitlab.ts")).gitlabAddress(settings, repository)}.git`;
  return null;
}
