import type { CrowdaiError } from "@crowdai/shared";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { type Host, hostError, refused, statusOf, unreachable } from "./host-errors.ts";
import { type HostDriver, hostedRepositories } from "./hosted-repositories.ts";
import { hostedName, hostedTitle } from "./hosted-repository-name.ts";

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
  const { org, token, answerMs = ANSWER_MS } = options;
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
  const { repos, actions } = octokit.rest;
  const dataOf = (answer: Promise<{ data: unknown }>) => answer.then(({ data }) => data);
  /** Where nothing of what is pushed is run; asked for once by each broker. */
  const quiet = new Set<string>();
  const pageUrl = (repository: HostedRepository) => githubAddress(options, repository);

  const driver: HostDriver<Repository> = {
    host,
    name: `${web}/${org}`,
    word: "repository",
    user: "x-access-token",
    trouble: (doing, thrown) => troubleFrom(host, doing, thrown),
    schema: repositorySchema,
    read: (name) => dataOf(repos.get({ owner: org, repo: name })),
    answersTo: (found, name) => found.name.toLowerCase() === name.toLowerCase(),
    make: (ask, repository, name) =>
      ask(
        `make ${name}`,
        () =>
          dataOf(
            repos.createInOrg({
              org,
              name,
              description: hostedTitle(repository),
              private: true,
              has_issues: false,
              has_projects: false,
              has_wiki: false,
            }),
          ),
        repositorySchema,
      ),
    thereStatus: 422,
    isPrivate: (found) => found.private,
    isPublic: (found) => !found.private,
    show: (name, visibility) => dataOf(repos.update({ owner: org, repo: name, visibility })),
    requireWritable(found, name) {
      if (found.archived)
        throw refused(host, `has archived ${org}/${name}, so nothing can be pushed.`, "Unarchive it.");
    },
    async requireQuiet(ask, _, name) {
      if (quiet.has(name)) return;
      const call = () =>
        actions.setGithubActionsPermissionsRepository({ owner: org, repo: name, enabled: false });
      await ask(`switch Actions off in ${name}`, call, z.unknown()).catch((error) => {
        // An Enterprise without Actions has nothing to switch off.
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      });
      quiet.add(name);
    },
    isGoing: () => false,
    remove(name) {
      quiet.delete(name);
      return repos.delete({ owner: org, repo: name });
    },
    pageUrl,
    forkUrl: (repository) => `${pageUrl(repository)}/fork`,
  };
  return hostedRepositories(driver, options);
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
  return hostError(host, doing, { status, headers: response.headers, message });
}

const messageOf = (each: unknown) => z.object({ message: z.string() }).safeParse(each).data?.message;
