import type { CrowdaiError } from "@crowdai/shared";
import { Octokit, RequestError } from "octokit";
import { z } from "zod";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { type Host, hostError, refused, statusOf, unreachable } from "./host-errors.ts";
import { type HostDriver, hostedRepositories } from "./hosted-repositories.ts";
import { hostedName, hostedTitle } from "./hosted-repository-name.ts";

/** Limit of one request; a request that fails for no reason of the host's is retried once. */
const ANSWER_MS = 15_000;
/** Responses that a retry would not change, and those that may name a time to wait until. */
const FINAL = [400, 401, 403, 404, 409, 410, 422, 429, 451, 503];
const API_VERSION = "2022-11-28";

export interface GithubOptions {
  apiUrl: string;
  org: string;
  token: string;
  git: Git;
  answerMs?: number;
  pushMs?: number;
  /** Pause before a retry. */
  againMs?: number;
  /** Limits writes to one a second, as GitHub asks; other servers need not. */
  paced?: boolean;
}

/** The fields of a repository that the broker reads. */
const repositorySchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  private: z.boolean(),
  archived: z.boolean(),
});
type Repository = z.output<typeof repositorySchema>;

/** Repositories in an organization at GitHub or at a GitHub Enterprise. */
export function createGithubHost(options: GithubOptions): CodeHost {
  const { org, token, answerMs = ANSWER_MS } = options;
  const web = webAddress(options.apiUrl);
  const host: Host = {
    label: `GitHub at ${web}`,
    tokenName: "GITHUB_TOKEN",
    placeName: "GITHUB_ORG",
    place: org,
    rights: "the permissions administration, contents and workflows for the organization's repositories",
    token,
  };
  const octokit = new Octokit({
    auth: token,
    baseUrl: options.apiUrl,
    userAgent: "crowdai-broker",
    // Errors carry the details, and the broker's log is the caller's.
    log: { debug() {}, info() {}, warn() {}, error() {} },
    // The sweep waits, because it has other repositories to continue with.
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
    // Without its own count Octokit counts the retries of all calls together, and waits ever longer.
    request.request = { ...request.request, retryCount: 0 };
  });
  const { repos, actions } = octokit.rest;
  const dataOf = (answer: Promise<{ data: unknown }>) => answer.then(({ data }) => data);
  /** Repositories whose Actions are off; each broker asks once for each. */
  const actionsOff = new Set<string>();
  const pageUrl = (repository: HostedRepository) => githubAddress(options, repository);

  const driver: HostDriver<Repository> = {
    host,
    name: `${web}/${org}`,
    noun: "repository",
    user: "x-access-token",
    toError: (doing, thrown) => errorFrom(host, doing, thrown),
    schema: repositorySchema,
    read: (name) => dataOf(repos.get({ owner: org, repo: name })),
    answersTo: (found, name) => found.name.toLowerCase() === name.toLowerCase(),
    make: (ask, repository, name) =>
      ask(
        `create ${name}`,
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
    existsStatus: 422,
    isPrivate: (found) => found.private,
    isPublic: (found) => !found.private,
    show: (name, visibility) => dataOf(repos.update({ owner: org, repo: name, visibility })),
    requireWritable(found, name) {
      if (found.archived)
        throw refused(host, `has archived ${org}/${name}, which therefore accepts no push.`, "Unarchive it.");
    },
    async disableCi(ask, _, name) {
      if (actionsOff.has(name)) return;
      const call = () =>
        actions.setGithubActionsPermissionsRepository({ owner: org, repo: name, enabled: false });
      await ask(`turn off Actions in ${name}`, call, z.unknown()).catch((error) => {
        // A GitHub Enterprise without Actions has nothing to turn off.
        if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
      });
      actionsOff.add(name);
    },
    isBeingDeleted: () => false,
    remove(name) {
      actionsOff.delete(name);
      return repos.delete({ owner: org, repo: name });
    },
    pageUrl,
    forkUrl: (repository) => `${pageUrl(repository)}/fork`,
  };
  return hostedRepositories(driver, options);
}

/** Returns the page of a repository; git's address is this and `.git`. */
export function githubAddress(
  { apiUrl, org }: Pick<GithubOptions, "apiUrl" | "org">,
  repository: HostedRepository,
): string {
  return `${webAddress(apiUrl)}/${encodeURIComponent(org)}/${hostedName(repository)}`;
}

/** Returns the web address that belongs to the address of an API. */
function webAddress(apiUrl: string): string {
  const url = new URL(apiUrl);
  // github.com and ghe.com have the API on a subdomain, other Enterprises below a path.
  if (/^api\.(?:github\.com|[^.]+\.ghe\.com)$/.test(url.hostname)) url.hostname = url.hostname.slice(4);
  return url.origin;
}

/** Creates the error for the caller; it keeps the status for the checks here. */
function errorFrom(host: Host, doing: string, thrown: unknown): CrowdaiError {
  if (!(thrown instanceof RequestError) || !thrown.response)
    return unreachable(host, "is unreachable.", { cause: thrown });
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
