import type { Git } from "../code/git.ts";
import type { CodeHostSettings } from "../config.ts";
import type { CodeHost } from "./code-host.ts";
import { createGithubHost } from "./github.ts";
import { createGitlabHost } from "./gitlab.ts";
import { createLocalHost } from "./local.ts";

/** The code host the settings name. Nothing is asked of it yet: one that is away keeps no broker from starting. */
export function openCodeHost(settings: CodeHostSettings, git: Git, baseUrl: () => string): CodeHost {
  if (settings.kind === "github") return createGithubHost({ ...settings, git });
  if (settings.kind === "gitlab") return createGitlabHost({ ...settings, git });
  return createLocalHost(baseUrl);
}
