import { availableParallelism } from "node:os";
import { join } from "node:path";
import { openCodeHost } from "../background/code-hosts/open-code-host.ts";
import type { CodeServices } from "../background/code-services.ts";
import { createGit } from "../background/git/git.ts";
import { createPublicRepositories } from "../background/published-code/public-repositories.ts";
import { openRepositories } from "../background/repositories/repositories.ts";
import type { CodeHostSettings } from "../base/config.ts";
import type { SubmissionServices } from "../domain/submissions/services.ts";

/** Opens the repositories in a folder and the code host that mirrors them. */
export async function openCode(options: {
  folder: string;
  settings: CodeHostSettings;
  /** Search path for git. */
  path: string;
  services: SubmissionServices;
  paced?: boolean;
}): Promise<CodeServices> {
  const { folder, settings, services, paced = true } = options;
  const git = await createGit({ path: options.path, atOnce: 2 * availableParallelism() });
  const { records, objects, baseUrl } = services;
  const host = await openCodeHost(settings, { git, baseUrl, paced });
  const repositories = await openRepositories({ folder, git, records, objects });
  const publicRepositories = createPublicRepositories({ repositories, records });
  return { ...services, host, kind: settings.kind, repositories, publicRepositories };
}

export const codeFolder = (dataFolder: string): string => join(dataFolder, "code");
