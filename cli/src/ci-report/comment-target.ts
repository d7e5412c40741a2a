import { readFile, stat } from "node:fs/promises";
import type { CiSystem } from "./detect-ci.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The pull or merge request that a job runs for. */
export interface CommentTarget {
  /** Base address of the API. */
  api: string;
  /** `owner/name` at GitHub, the id of the project at GitLab. */
  repository: string;
  number: number;
  isFork: boolean;
  commit: string | null;
  /** Page of the job. */
  job: string | null;
  jobName: string | null;
  /** Distinguishes the comments of jobs with one name, such as those of a matrix. */
  label: string | null;
}

const MAX_EVENT_BYTES = 32 * 1024 * 1024;

/**
 * Returns the pull or merge request of this job, or null if it runs for none. Throws if the CI system does
 * not say.
 */
export async function commentTarget(
  system: CiSystem,
  env: Env,
  label: string | undefined,
): Promise<CommentTarget | null> {
  const target = await (system === "github" ? githubTarget(env) : gitlabTarget(env));
  return target && { ...target, label: label || null };
}

async function githubTarget(env: Env): Promise<Omit<CommentTarget, "label"> | null> {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run, GITHUB_SERVER_URL: server } = env;
  const event = await readEvent(env.GITHUB_EVENT_PATH);
  const pull = at(event, "pull_request") ?? at(event, "workflow_run", "pull_requests", "0");
  const fromIssue = at(event, "issue", "pull_request") ? at(event, "issue", "number") : undefined;
  const ref = /^refs\/pull\/(\d+)\//.exec(env.GITHUB_REF ?? "")?.[1];
  const number = at(pull, "number") ?? fromIssue ?? (ref === undefined ? undefined : Number(ref));
  if (!isNumber(number)) return null;
  if (!repository || !/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error("GITHUB_REPOSITORY is not owner/name");
  const head = at(pull, "head", "repo", "full_name");
  return {
    api: env.GITHUB_API_URL || "https://api.github.com",
    repository,
    number,
    isFork: typeof head === "string" && head.toLowerCase() !== repository.toLowerCase(),
    commit: commitOf(at(pull, "head", "sha")) ?? commitOf(env.GITHUB_SHA),
    job: server && run ? `${server}/${repository}/actions/runs/${run}` : null,
    // Two workflows may have jobs of one name.
    jobName: [env.GITHUB_WORKFLOW, env.GITHUB_JOB].filter(Boolean).join(" / ") || null,
  };
}

function gitlabTarget(env: Env): Omit<CommentTarget, "label"> | null {
  // In the pipeline of a branch: such as `group/project!7,group/project!9`.
  const open = /!(\d+)/.exec(env.CI_OPEN_MERGE_REQUESTS?.split(",")[0] ?? "")?.[1];
  const number = Number(env.CI_MERGE_REQUEST_IID || open);
  if (!isNumber(number)) return null;
  const { CI_MERGE_REQUEST_PROJECT_ID: target, CI_PROJECT_ID: own, CI_API_V4_URL: api } = env;
  const repository = target || own;
  if (!api || !repository) throw new Error("CI_API_V4_URL or CI_PROJECT_ID is not set");
  return {
    api,
    repository,
    number,
    isFork: Boolean(target && own && target !== own),
    commit: commitOf(env.CI_COMMIT_SHA),
    job: env.CI_JOB_URL ?? null,
    jobName: env.CI_JOB_NAME || null,
  };
}

/** Returns the event of a job, or null if it has none. Only some events are about a pull request. */
async function readEvent(path: string | undefined): Promise<unknown> {
  if (!path) return null;
  try {
    const facts = await stat(path);
    if (!facts.isFile() || facts.size > MAX_EVENT_BYTES) return null;
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null;
  }
}

/** Returns the value at a path of own fields. */
function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found ?? undefined;
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function commitOf(value: unknown): string | null {
  return typeof value === "string" && /^[0-9a-f]{7,64}$/.test(value) ? value.slice(0, 7) : null;
}
