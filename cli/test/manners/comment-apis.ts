import http from "node:http";
import type { AddressInfo } from "node:net";
import type { MergeRequestNoteSchema } from "@gitbeaker/rest";
import type { components, operations } from "@octokit/openapi-types";

type IssueComment = components["schemas"]["issue-comment"];
type NewComment = operations["issues/create-comment"]["requestBody"]["content"]["application/json"];

/** The fault that a request meets instead of the usual answer. */
export interface Trouble {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

/**
 * The comments API of GitHub, or the notes API of GitLab, for one pull or merge request with the number 7.
 */
export interface CommentsApi extends AsyncDisposable {
  readonly url: string;
  /** The texts of the comments, oldest first. */
  bodies(): string[];
  add(body: string, author?: "app" | "mallory"): void;
  requests: { what: string; headers: http.IncomingHttpHeaders }[];
  /** Called for each request, such as "POST /repos/…"; "silence" leaves it without an answer. */
  trouble: ((what: string) => Trouble | "silence" | undefined) | null;
}

const TOKEN = "ghs_token";
const AT = "2026-11-23T12:00:00Z";

export function startGithubComments(): Promise<CommentsApi> {
  const comments: IssueComment[] = [];
  const add = (body: string, login: "app" | "mallory" = "app") => {
    const id = comments.length + 1;
    const url = `https://api.github.com/repos/acme/iris/issues/comments/${id}`;
    comments.push({
      ...{ id, node_id: `IC_${id}`, url, body, created_at: AT, updated_at: AT, author_association: "NONE" },
      ...{ html_url: `https://github.com/acme/iris/pull/7#issuecomment-${id}`, issue_url: url },
      user: githubUser(login === "app" ? "github-actions[bot]" : login, login === "app" ? "Bot" : "User"),
    });
    return comments.at(-1)!;
  };
  const of = "/repos/acme/iris/issues";
  return serve(
    { add: (body, author) => void add(body, author), bodies: () => comments.map(({ body }) => body!) },
    (call) => {
      const { headers, what, query } = call;
      if (headers.authorization !== `Bearer ${TOKEN}`)
        return { status: 401, json: { message: "Bad credentials" } };
      const [accept, version] = [headers.accept, headers["x-github-api-version"]];
      if (accept !== "application/vnd.github+json" || version !== "2022-11-28" || !headers["user-agent"])
        return { status: 400, json: { message: "wrong headers" } };
      if (what === `GET ${of}/7/comments`) return { status: 200, json: pageOf(comments, query, 30) };
      const { body, ...unknown } = call.body as Partial<NewComment>;
      if (typeof body !== "string" || body.length > 65_536 || Object.keys(unknown).length > 0)
        return { status: 422, json: { message: "Validation Failed" } };
      if (what === `POST ${of}/7/comments`) return { status: 201, json: add(body) };
      const found = comments.find(({ id }) => what === `PATCH ${of}/comments/${id}`);
      return found ? { status: 200, json: Object.assign(found, { body }) } : notFound;
    },
  );
}

export function startGitlabNotes(): Promise<CommentsApi> {
  const notes: MergeRequestNoteSchema[] = [];
  const user = (username: string): MergeRequestNoteSchema["author"] => ({
    ...{
      id: 1,
      name: username,
      username,
      state: "active",
      avatar_url: "",
      web_url: `https://gitlab.com/${username}`,
    },
  });
  const add = (body: string, author: "app" | "mallory" = "app") => {
    notes.push({
      ...{
        id: notes.length + 1,
        body,
        attachment: null,
        author: user(author),
        created_at: AT,
        updated_at: AT,
      },
      ...{ system: false, noteable_id: 70, noteable_iid: 7, noteable_type: "MergeRequest", project_id: 3 },
      resolvable: false,
    });
    return notes.at(-1)!;
  };
  const of = "/projects/3/merge_requests/7/notes";
  return serve(
    { add: (body, author) => void add(body, author), bodies: () => notes.map(({ body }) => body) },
    (call) => {
      const { headers, what, query } = call;
      if (headers["private-token"] !== TOKEN) return { status: 401, json: { message: "401 Unauthorized" } };
      if (what === "GET /user") return { status: 200, json: user("app") };
      if (what === `GET ${of}`) return { status: 200, json: pageOf(notes, query, 20) };
      const { body, ...unknown } = call.body;
      if (typeof body !== "string" || body.length > 1_000_000 || Object.keys(unknown).length > 0)
        return { status: 400, json: { error: "body is missing" } };
      if (what === `POST ${of}`) return { status: 201, json: add(body) };
      const found = notes.find(({ id }) => what === `PUT ${of}/${id}`);
      return found ? { status: 200, json: Object.assign(found, { body }) } : notFound;
    },
  );
}

interface Call {
  what: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}

const notFound = { status: 404, json: { message: "Not Found" } };

async function serve(
  own: Pick<CommentsApi, "add" | "bodies">,
  answer: (call: Call) => { status: number; json: unknown },
): Promise<CommentsApi> {
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url!, api.url);
    const what = `${request.method} ${url.pathname}`;
    api.requests.push({ what, headers: request.headers });
    const trouble = api.trouble?.(what);
    if (trouble === "silence") return;
    if (trouble) {
      response
        .writeHead(trouble.status, { "content-type": "text/html", ...trouble.headers })
        .end(trouble.body);
      return;
    }
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    const { status, json } = answer({ what, query: url.searchParams, headers: request.headers, body });
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api: CommentsApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...own,
    requests: [],
    trouble: null,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return api;
}

function pageOf<T>(all: readonly T[], query: URLSearchParams, fallback: number): T[] {
  const size = Math.min(100, Number(query.get("per_page") ?? fallback));
  const page = Number(query.get("page") ?? 1);
  return all.slice((page - 1) * size, page * size);
}

function githubUser(login: string, type: string): IssueComment["user"] {
  const url = `https://api.github.com/users/${login}`;
  return {
    ...{ login, id: 1, node_id: "U_1", avatar_url: "", gravatar_id: null, url, html_url: url, type },
    ...{ followers_url: url, following_url: url, gists_url: url, starred_url: url, subscriptions_url: url },
    ...{
      organizations_url: url,
      repos_url: url,
      events_url: url,
      received_events_url: url,
      site_admin: false,
    },
  };
}
