import { CrowdaiError } from "@crowdai/shared";
import { request } from "../client/http/http-request.ts";
import { NetworkFault } from "../client/http/network-fault.ts";
import { proxyAgents } from "../client/http/proxy-agents.ts";
import { readText } from "../client/http/response-body.ts";
import type { Io } from "../terminal/io.ts";

const MAX_ANSWER = 64 * 1024;
const ATTEMPTS = 3;

/** Where a CI job gets its ID tokens. */
export interface CiTokenSource {
  /** The service that issues them, or the variable. */
  name: string;
  /** Whether each call returns a new token. */
  issuesNew: boolean;
  /** Returns a token for the audience. Throws ci_token_unavailable. */
  token(audience: string): Promise<string>;
}

/** Returns the source of this CI job's ID tokens; null where there is none. */
export function ciTokenSource({ env, signal }: Pick<Io, "env" | "signal">): CiTokenSource | null {
  const { CROWDAI_ID_TOKEN, ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: secret } = env;
  const given = CROWDAI_ID_TOKEN?.trim();
  if (given) return { name: "CROWDAI_ID_TOKEN", issuesNew: false, token: async () => given };
  if (!url || !secret) return null;
  return {
    name: "GitHub Actions",
    issuesNew: true,
    token: (audience) => requestToken(url, secret, audience, { env, signal }),
  };
}

/** Asks the runner's service, which is busy now and then. */
async function requestToken(
  address: string,
  secret: string,
  audience: string,
  io: Pick<Io, "env" | "signal">,
): Promise<string> {
  if (!URL.canParse(address)) throw unavailable("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL");
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  for (let attempt = 1; ; attempt++) {
    const { problem, value, mayRepeat } = await ask(url, secret, io);
    if (value !== undefined) return value;
    if (!mayRepeat || attempt >= ATTEMPTS) throw unavailable(problem);
  }
}

async function ask(url: URL, secret: string, { env, signal }: Pick<Io, "env" | "signal">) {
  try {
    const reply = await request(url, {
      headers: { accept: "application/json", authorization: `Bearer ${secret}` },
      agents: proxyAgents(env),
      signal,
      idleMs: 10_000,
    });
    const text = await readText(reply, MAX_ANSWER);
    const status = reply.statusCode ?? 0;
    if (status !== 200)
      return {
        problem: `${url.host} answered with status ${status}`,
        mayRepeat: status === 429 || status >= 500,
      };
    const value = valueIn(text);
    return value === undefined
      ? { problem: `${url.host} answered without a token`, mayRepeat: false }
      : { value, problem: "", mayRepeat: false };
  } catch (error) {
    if (error instanceof NetworkFault) return { problem: `${url.host}: ${error.message}`, mayRepeat: true };
    throw error;
  }
}

function valueIn(text: string): string | undefined {
  try {
    const { value } = JSON.parse(text) as { value?: unknown };
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    return undefined;
  }
}

const unavailable = (reason: string) =>
  new CrowdaiError("ci_token_unavailable", `Could not get an ID token from GitHub Actions: ${reason}.`);
