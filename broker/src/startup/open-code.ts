import { availableParallelism } from "node:os";
import { join } from "node:path";
import { openCodeHost } from "../background/code-hosts/open-code-host.ts";
import { createGit } from "../background/git/git.ts";
import { createPublicRepositories } from "../background/published-code/public-repositories.ts";
import type { CodeContext } from "../background/repositories/code-context.ts";
import { openRepositories } from "../background/repositories/repositories.ts";
import type { CodeHostSettings } from "../base/config.ts";
import type { SubmissionContext } from "../domain/submissions/context.ts";

/** Opens the repositories in a folder and the code host that mirrors them. */
export async function openCode(options: {
  folder: string;
  settings: CodeHostSettings;
  /** Search path for git. */
  path: string;
  submissions: SubmissionContext;
  paced?: boolean;
}): Promise<CodeContext> {
  const { folder, settings, submissions, paced = true } = options;
  const git = await createGit({ path: options.path, atOnce: 2 * availableParallelism() });
  const { records, objects, baseUrl } = submissions;
  const host = await openCodeHost(settings, { git, baseUrl, paced });
  const repositories = await openRepositories({ folder, git, records, objects });
  const publicRepositories = createPublicRepositories({ repositories, records });
  return { submissions, host, kind: settings.kind, repositories, publicRepositories };
}

export const codeFolder = (dataFolder: string): string => join(dataFolder, "code");
