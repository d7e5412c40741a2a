import { proxyAgents } from "../client/http/proxy-agents.ts";
import { ApiError } from "./api-request.ts";
import { type Comment, type CommentHost, githubComments, gitlabComments, PER_PAGE } from "./comment-host.ts";
import type { CommentTarget } from "./comment-target.ts";
import type { CiSystem } from "./detect-ci.ts";

type Env = Readonly<Record<string, string | undefined>>;

const MAX_PAGES = 100;

export interface CommentOptions {
  system: CiSystem;
  env: Env;
  target: CommentTarget;
  /** Name of the variable with the token, if it is not the usual one. */
  tokenVariable: string | undefined;
  signal: AbortSignal;
  idleMs?: number;
}

/** Opens the comments of a pull or merge request. Throws if there is no token. */
export function openComments({ idleMs = 15_000, ...options }: CommentOptions): CommentHost {
  const { system, env, target, signal } = options;
  const base = URL.canParse(target.api) ? new URL(target.api) : null;
  if (!base || !/^https?:$/.test(base.protocol))
    throw new Error("the address of the API is not an http(s) URL");
  const { token, isOfJob } = tokenFor(system, env, options.tokenVariable);
  const common = { "user-agent": "crowdai" };
  const api = { base, token, agents: proxyAgents(env), signal, idleMs };
  if (system === "github") {
    const headers = { ...common, authorization: `Bearer ${token}`, "x-github-api-version": "2022-11-28" };
    const accept = "application/vnd.github+json";
    return githubComments({ ...api, headers: { ...headers, accept } }, target.repository, target.number);
  }
  const headers = { ...common, [isOfJob ? "job-token" : "private-token"]: token };
  return gitlabComments({ ...api, headers }, target.repository, target.number);
}

/**
 * Writes the comment that starts with `marker`: a new one, or over the one that this token wrote before.
 * Comments of others are left alone, also those that imitate ours.
 */
export async function publishComment(
  host: CommentHost,
  marker: string,
  bodyAfter: (earlier: string | null) => string,
): Promise<"created" | "updated"> {
  const own = await findOwn(host, marker);
  if (own) {
    const gone = await host.update(own.id, bodyAfter(own.body)).then(
      () => false,
      (failure) => {
        if (failure instanceof ApiError && failure.status === 404) return true;
        throw failure;
      },
    );
    if (!gone) return "updated";
  }
  await host.create(bodyAfter(own?.body ?? null));
  return "created";
}

async function findOwn(host: CommentHost, marker: string): Promise<Comment | null> {
  let owner: string | null | undefined;
  for (let number = 1; number <= MAX_PAGES; number++) {
    const page = await host.page(number);
    for (const comment of page) {
      if (!comment.body.startsWith(marker)) continue;
      if (comment.isApp) return comment;
      owner ??= await host.owner();
      if (owner !== null && comment.author === owner) return comment;
    }
    if (page.length < PER_PAGE) return null;
  }
  return null;
}

/** Returns why a comment could not be written, and what to do about it. */
export function explainFailure(
  failure: unknown,
  { system, target, tokenVariable, signal }: CommentOptions,
): string {
  const { message, status = 0 } = failure as Partial<ApiError> & Error;
  if (signal.aborted) return "The comment was not written: the API took too long.";
  const isForbidden = [401, 403, 404].includes(status);
  if (isForbidden && target.isFork)
    return "No comment: the request comes from a fork, whose jobs may not write comments.";
  const hint = !isForbidden
    ? ""
    : system === "github"
      ? " The job needs `permissions: pull-requests: write`."
      : ` ${tokenVariable ? "The token" : "CI_JOB_TOKEN may not write comments: a token"} needs the scope api; --comment-token names its variable.`;
  return `The comment was not written: ${message}.${hint}`;
}

function tokenFor(system: CiSystem, env: Env, named: string | undefined) {
  if (named !== undefined) {
    // Not named in the message: it may be the token itself.
    if (!env[named]) throw new Error("the variable that --comment-token names is not set");
    return { token: header(env[named]), isOfJob: named === "CI_JOB_TOKEN" };
  }
  const names = system === "github" ? ["GITHUB_TOKEN"] : ["GITLAB_TOKEN", "CI_JOB_TOKEN"];
  const name = names.find((one) => env[one]);
  if (!name) throw new Error(`${names.join(" or ")} is not set`);
  return { token: header(env[name]!), isOfJob: name === "CI_JOB_TOKEN" };
}

function header(token: string): string {
  const text = token.trim();
  if (!/^[\x21-\x7e]+$/.test(text)) throw new Error("the token contains invalid characters");
  return text;
}
