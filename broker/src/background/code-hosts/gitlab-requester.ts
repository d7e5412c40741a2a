import { createRequesterFn } from "@gitbeaker/requester-utils";
import { z } from "zod";

/** An unsuccessful response of GitLab; `said` is null when it was not in GitLab's form. */
export class GitlabAnswer extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly said: string | null;
  constructor(status: number, headers: Record<string, string>, said: string | null) {
    super(`GitLab answered ${status}`);
    this.status = status;
    this.headers = headers;
    this.said = said;
  }
}

/** The request that gitbeaker builds for a call. */
const requestSchema = z.object({
  prefixUrl: z.string(),
  searchParams: z.string().optional(),
  method: z.string(),
  headers: z.record(z.string(), z.string()),
  body: z.string().optional(),
});
const saidSchema = z
  .object({ message: z.unknown(), error: z.unknown(), error_description: z.unknown() })
  .partial();

/**
 * Sends one request and returns its response. Gitbeaker's own requester retries ten times within a quarter of
 * a second when a host asks to wait, and drops the time that the host named.
 */
export function createGitlabRequester(answerMs: number): ReturnType<typeof createRequesterFn> {
  return createRequesterFn(
    async (_service, request) => request,
    async (endpoint, options) => {
      const { prefixUrl, searchParams = "", method, headers, body } = requestSchema.parse(options);
      const url = new URL(`${prefixUrl.replace(/\/+$/, "")}/${endpoint}`);
      url.search = searchParams;
      const answer = await fetch(url, {
        method,
        headers: { ...headers, accept: "application/json", "user-agent": "crowdai-broker" },
        // Gitbeaker sends {} with a DELETE, which takes no body.
        ...(body === undefined || method === "DELETE" ? {} : { body }),
        // The token is sent to no other address; a repository that has moved counts as gone.
        redirect: "manual",
        signal: AbortSignal.timeout(answerMs),
      });
      const text = await answer.text();
      const json = answer.headers.get("content-type")?.includes("json") ? parsed(text) : undefined;
      const given = Object.fromEntries(answer.headers.entries());
      if (answer.status >= 301 && answer.status <= 308) throw new GitlabAnswer(404, given, "it has moved");
      if (!answer.ok) throw new GitlabAnswer(answer.status, given, messageOf(json));
      // A response that is not JSON is passed on as text, and the caller's schema rejects it.
      return { body: (json ?? text) as Record<string, unknown>, headers: given, status: answer.status };
    },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(json: unknown): string | null {
  const read = saidSchema.safeParse(json);
  if (!read.success) return null;
  const { message, error, error_description: more } = read.data;
  return [message, error, more]
    .filter((each) => each !== undefined)
    .map((each) => (typeof each === "string" ? each : JSON.stringify(each)))
    .join(", ");
}
