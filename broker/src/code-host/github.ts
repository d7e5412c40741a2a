import { CrowdaiError } from "@crowdai/shared";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import type { Git } from "../code/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createPause, type Host, refused, statusOf, troubleOf, unreachable } from "./host-trouble.ts";
import { hostedName, hostedTitle, MARK } from "./hosted-name.ts";
import { pushMirror } from "./push-mirror.ts";

/** Of one request; what fails for no reason of the host's is asked once more. */
const ANSWER_MS = 15_000;
/** Answers that would be the same a moment later, and those that may name a time, before which nobody asks again. */
const FINAL = [400, 401, 403, 404, 409, 410, 422, 429, 451, 503];
const API_VERSION = "2022-11-28";

export interface GithubOptions {
  apiUrl: string;
  org: string;
  token: string;
  git: Git;
  answerMs?: number;
  pushMs?: number;
  /** Before a request is made again. */
  againMs?: number;
  /** One write a second, as GitHub asks for; what is not GitHub may not mind. */
  paced?: boolean;
}

/** What we read of a repository. */
const repositorySchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  private: z.boolean(),
  archived: z.boolean(),
});
type Repository = z.output<typeof repositorySchema>;

/** Repositories in an organisation at GitHub, or at a GitHub Enterprise. */
export function createGithubHost(options: GithubOptions): CodeHost {
  const { org, token, git, answerMs = ANSWER_MS } = options;
  const web = webAddress(options.apiUrl);
  const host: Host = {
    label: `GitHub at ${web}`,
    tokenName: "GITHUB_TOKEN",
    placeName: "GITHUB_ORG",
    place: org,
    rights: "the rights administration, contents and workflows to the organisation's repositories",
    token,
  };
  const octokit = new Octokit({
    auth: token,
    baseUrl: options.apiUrl,
    userAgent: "crowdai-broker",
    // What is wrong is in the error; the broker's log is the caller's.
    log: { debug() {}, info() {}, warn() {}, error() {} },
    // Waiting is the outbox's, which has other repositories to go on with.
    throttle: {
      enabled: options.paced ?? true,
      id: `${web} ${org}`,
      onRateLimit: () => false,
      onSecondaryRateLimit: () => false,
    },
    retry: { retries: 1, doNotRetry: FINAL, retryAfterBaseValue: options.againMs ?? 1000 },
    request: {
      fetch: (url: string, init: RequestInit) =>
        fetch(url, { ...init, signal: AbortSignal.timeout(answerMs) }),
    },
  });
  octokit.hook.before("request", (request) => {
    request.headers["x-github-api-version"] = API_VERSION;
    // Octokit counts the tries of all calls together, and waits ever longer, unless each has a count of its own.
    request.request = { ...request.request, retryCount: 0 };
  });
  const pause = createPause(host);
  /** Where nothing of what is pushed is run; asked for once by each broker. */
  const quiet = new Set<string>();

  async function ask<T>(
    doing: string,
    call: () => Promise<{ data: unknown }>,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const { data } = await pause.keep(() =>
      call().catch((thrown) => {
        throw troubleFrom(host, doing, thrown);
      }),
    );
    const read = schema.safeParse(data);
    if (read.success) return read.data;
    throw unreachable(
      host,
      "answered in a form that is not its own; something in between may have answered.",
    );
  }

  async function find(name: string): Promise<Repository | null> {
    try {
      const call = () => octokit.rest.repos.get({ owner: org, repo: name });
      const found = await ask(`read ${name}`, call, repositorySchema);
      // A repository that somebody renamed still answers to its old name.
      return found.name.toLowerCase() === name.toLowerCase() ? found : null;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async function make(repository: HostedRepository, name: string): Promise<Repository> {
    const call = () =>
      octokit.rest.repos.createInOrg({
        org,
        name,
        description: hostedTitle(repository),
        private: true,
        has_issues: false,
        has_projects: false,
        has_wiki: false,
      });
    try {
      return await ask(`make ${name}`, call, repositorySchema);
    } catch (error) {
      // Another broker may have made it a moment ago.
      const there = statusOf(error) === 422 ? await find(name) : null;
      if (there) return there;
      throw error;
    }
  }

  function requireOurs({ description }: Repository, name: string): void {
    if (description?.includes(MARK)) return;
    throw refused(
      host,
      `has a repository ${org}/${name} that the broker did not make.`,
      `Rename it; or, if it is the broker's, put "${MARK}" into its description.`,
    );
  }

  async function requireQuiet(name: string): Promise<void> {
    if (quiet.has(name)) return;
    const call = () =>
      octokit.rest.actions.setGithubActionsPermissionsRepository({ owner: org, repo: name, enabled: false });
    await ask(`switch Actions off in ${name}`, call, z.unknown()).catch((error) => {
      // An Enterprise without Actions has nothing to switch off.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
    });
    quiet.add(name);
  }

  const show = (name: string, visibility: "public" | "private") =>
    ask(
      `make ${name} ${visibility}`,
      () => octokit.rest.repos.update({ owner: org, repo: name, visibility }),
      repositorySchema,
    );

  const address = (repository: HostedRepository) => githubAddress(options, repository);
  return {
    name: `${web}/${org}`,
    outside: true,
    async ensure(repository) {
      const name = hostedName(repository);
      const found = (await find(name)) ?? (await make(repository, name));
      requireOurs(found, name);
      if (found.archived)
        throw refused(host, `has archived ${org}/${name}, so nothing can be pushed.`, "Unarchive it.");
      if (repository.edition === "private" && !found.private) await show(name, "private");
      await requireQuiet(name);
    },
    mirror: (repository, path) =>
      pause.keep(() =>
        pushMirror({
          git,
          host,
          user: "x-access-token",
          url: `${address(repository)}.git`,
          path,
          longestMs: options.pushMs,
        }),
      ),
    async publish(repository) {
      if (repository.edition !== "public")
        throw new CrowdaiError("unexpected", "Private code is not published.");
      const name = hostedName(repository);
      const found = await find(name);
      if (!found) throw unreachable(host, `no longer has ${org}/${name}; it is made again.`);
      requireOurs(found, name);
      if (found.private) await show(name, "public");
    },
    async remove(repository) {
      const name = hostedName(repository);
      const found = await find(name);
      if (!found) return;
      requireOurs(found, name);
      quiet.delete(name);
      const call = () => octokit.rest.repos.delete({ owner: org, repo: name });
      await ask(`remove ${name}`, call, z.unknown()).catch((error) => {
        if (statusOf(error) !== 404) throw error;
      });
    },
    cloneUrl: (repository) => `${address(repository)}.git`,
    pageUrl: address,
    forkUrl: (repository) => `${address(repository)}/fork`,
  };
}

/** The page of a repository; git's address is this and `.git`. */
export function githubAddress(
  { apiUrl, org }: Pick<GithubOptions, "apiUrl" | "org">,
  repository: HostedRepository,
): string {
  return `${webAddress(apiUrl)}/${encodeURIComponent(org)}/${hostedName(repository)}`;
}

/** Where people and git find what the API at this address has. */
function webAddress(apiUrl: string): string {
  const url = new URL(apiUrl);
  // GitHub's own, and those at ghe.com, have the API beside them; other Enterprises have it below.
  if (/^api\.(?:github\.com|[^.]+\.ghe\.com)$/.test(url.hostname)) url.hostname = url.hostname.slice(4);
  return url.origin;
}

/** An error for the caller, which still knows the status for what follows here. */
function troubleFrom(host: Host, doing: string, thrown: unknown): CrowdaiError {
  if (!(thrown instanceof RequestError) || !thrown.response)
    return unreachable(host, "cannot be reached.", { cause: thrown });
  const { status, response } = thrown;
  const said = z
    .object({
      message: z.string(),
      errors: z.array(z.object({ message: z.string() }).or(z.unknown())).optional(),
    })
    .safeParse(response.data);
  const message = said.success
    ? [said.data.message, ...(said.data.errors ?? []).map(messageOf)].filter(Boolean).join(", ")
    : null;
  return troubleOf(host, doing, { status, headers: response.headers, message });
}

const messageOf = (each: unknown) => z.object({ message: z.string() }).safeParse(each).data?.message;
