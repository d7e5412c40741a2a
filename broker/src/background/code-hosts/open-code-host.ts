import type { CodeHostSettings } from "../../base/config.ts";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createLocalHost } from "./local.ts";

// The libraries of hosts outside take as long to load as all the rest of the broker: only who uses one waits for it.

/** The code host the settings name. Nothing is asked of it yet: one that is away keeps no broker from starting. */
export async function openCodeHost(
  settings: CodeHostSettings,
  { git, baseUrl, paced }: { git: Git; baseUrl: () => string; paced: boolean },
): Promise<CodeHost> {
  if (settings.kind === "github")
    return (await import("./github.ts")).createGithubHost({ ...settings, git, paced });
  if (settings.kind === "gitlab") return (await import("./gitlab.ts")).createGitlabHost({ ...settings, git });
  return createLocalHost(baseUrl);
}

/** Where git finds a repository at a host outside; null where the broker's own are what is seen. */
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
