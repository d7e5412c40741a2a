import type { Git } from "../code/git.ts";
import type { CodeHostSettings } from "../config.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createGithubHost, githubAddress } from "./github.ts";
import { createGitlabHost, gitlabAddress } from "./gitlab.ts";
import { createLocalHost } from "./local.ts";

/** The code host the settings name. Nothing is asked of it yet: one that is away keeps no broker from starting. */
export function openCodeHost(settings: CodeHostSettings, git: Git, baseUrl: () => string): CodeHost {
  if (settings.kind === "github") return createGithubHost({ ...settings, git });
  if (settings.kind === "gitlab") return createGitlabHost({ ...settings, git });
  return createLocalHost(baseUrl);
}

/** Where git finds a repository at a host outside; null where the broker's own are what is seen. */
export function addressAtHost(settings: CodeHostSettings, repository: HostedRepository): string | null {
  if (settings.kind === "github") return `${githubAddress(settings, repository)}.git`;
  if (settings.kind === "gitlab") return `${gitlabAddress(settings, repository)}.git`;
  return null;
}
