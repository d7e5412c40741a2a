import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type CodePlace, CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import { request } from "../client/http/http-request.ts";
import { proxyAgents } from "../client/http/proxy-agents.ts";
import { readText } from "../client/http/response-body.ts";
import type { Io } from "../terminal/io.ts";

export interface Forked {
  page: string;
  clone: string;
}

interface HostApi {
  /** The participant's own token for this host, or null. */
  token: string | null;
  request: { url: string; headers: Record<string, string> };
  answer: z.ZodType<Forked>;
}

const TIMEOUT_MS = 30_000;

/** GitHub's answer to a fork request. */
const githubFork = z
  .object({ html_url: z.url({ protocol: /^https?$/ }), clone_url: z.url({ protocol: /^https?$/ }) })
  .transform(({ html_url, clone_url }) => ({ page: html_url, clone: clone_url }));
/** GitLab's answer to a fork request. */
const gitlabFork = z
  .object({ web_url: z.url({ protocol: /^https?$/ }), http_url_to_repo: z.url({ protocol: /^https?$/ }) })
  .transform(({ web_url, http_url_to_repo }) => ({ page: web_url, clone: http_url_to_repo }));

/**
 * Forks the repository at its code host with the participant's own token. Returns null without a token; the
 * participant can then fork it on the host's page. Throws fork_refused.
 */
export async function forkAtHost(
  { env, signal }: Pick<Io, "env" | "signal">,
  client: string,
  place: CodePlace,
): Promise<Forked | null> {
  const url = new URL(place.clone_url);
  const path = url.pathname.replace(/^\/+|\.git$/g, "");
  const api = place.host === "github" ? await github(env, url, path) : await gitlab(env, url, path);
  if (api.token === null) return null;
  const failed = (message: string, cause?: unknown) =>
    new CrowdaiError("fork_refused", message, {
      cause,
      next: `Fork it in the browser: ${place.fork_url ?? place.page_url ?? place.clone_url}`,
    });
  const asked = async () => {
    // Redirects are not followed: none must receive the token.
    const reply = await request(new URL(api.request.url), {
      method: "POST",
      headers: {
        ...api.request.headers,
        "content-type": "application/json",
        "content-length": "2",
        "user-agent": client,
      },
      body: "{}",
      agents: proxyAgents(env),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return { status: reply.statusCode ?? 0, text: await readText(reply) };
  };
  const { status, text } = await asked().catch((cause) => {
    if (signal.aborted) throw new CrowdaiError("interrupted", "Interrupted.", { next: "" });
    throw failed(`${url.host} cannot be reached.`, cause);
  });
  const body = parsed(text);
  if (status < 200 || status > 299) throw failed(`${url.host} answered ${status}${messageOf(body)}.`);
  const read = api.answer.safeParse(body);
  if (!read.success) throw failed(`${url.host} sent an unexpected answer.`, read.error);
  return read.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * Follows `gh`: GH_TOKEN is for github.com; other hosts have variables of their own, or a token from
 * `gh auth login`.
 */
async function github(env: Io["env"], url: URL, path: string): Promise<HostApi> {
  const isCloud = url.host === "github.com";
  const named = isSame(env.GITHUB_SERVER_URL, url) || env.GH_HOST === url.host;
  const given = isCloud
    ? env.GH_TOKEN || env.GITHUB_TOKEN
    : env.GH_ENTERPRISE_TOKEN ||
      env.GITHUB_ENTERPRISE_TOKEN ||
      (named ? env.GH_TOKEN || env.GITHUB_TOKEN : "");
  // github.com and ghe.com have the API on a host of its own; GitHub Enterprise Server has it below /api/v3.
  const hasApiHost = isCloud || /^[^.]+\.ghe\.com$/.test(url.hostname);
  const base = hasApiHost ? `https://api.${url.host}` : `${url.origin}/api/v3`;
  const token =
    (isCloud || named ? given : "") || (await outputOf(env, "gh", ["auth", "token", "--hostname", url.host]));
  return {
    token,
    request: {
      url: `${base}/repos/${path.split("/").map(encodeURIComponent).join("/")}/forks`,
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "x-github-api-version": "2022-11-28",
      },
    },
    answer: githubFork,
  };
}

async function gitlab(env: Io["env"], url: URL, path: string): Promise<HostApi> {
  const isCloud = url.host === "gitlab.com";
  const named = env.GITLAB_HOST === url.host || isSame(env.GITLAB_HOST, url) || isSame(env.GITLAB_URL, url);
  const token =
    (isCloud || named ? env.GITLAB_TOKEN || env.GITLAB_ACCESS_TOKEN : "") ||
    (await outputOf(env, "glab", ["config", "get", "token", "--host", url.host]));
  return {
    token,
    request: {
      url: `${url.origin}/api/v4/projects/${encodeURIComponent(path)}/fork`,
      headers: { "private-token": token ?? "" },
    },
    answer: gitlabFork,
  };
}

/**
 * Returns the output of a program, such as the token that `gh` has stored; null if it fails or prints
 * nothing.
 */
async function outputOf(env: Io["env"], program: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
      timeout: 10_000,
      windowsHide: true,
    });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

const isSame = (address: string | undefined, url: URL): boolean =>
  address !== undefined && URL.canParse(address) && new URL(address).origin === url.origin;

function messageOf(body: unknown): string {
  const read = z.object({ message: z.unknown() }).safeParse(body);
  if (!read.success) return "";
  const { message } = read.data;
  return `: ${(typeof message === "string" ? message : JSON.stringify(message)).slice(0, 300)}`;
}
