import { type Api, callApi } from "./api-request.ts";

export interface Comment {
  id: number;
  body: string;
  /** Login name of the author. */
  author: string;
  /** Whether the author is an app and not a person. */
  isApp: boolean;
}

/** The comments of one pull or merge request. */
export interface CommentHost {
  /** Returns a page of comments, oldest first; an empty one after the last. */
  page(number: number): Promise<Comment[]>;
  create(body: string): Promise<void>;
  update(id: number, body: string): Promise<void>;
  /** Returns the login name of the token's owner; null if the host does not say. */
  owner(): Promise<string | null>;
}

export const PER_PAGE = 100;

export function githubComments(api: Api, repository: string, number: number): CommentHost {
  const at = `/repos/${repository.split("/").map(encodeURIComponent).join("/")}/issues`;
  return {
    page: async (page) =>
      list(await callApi(api, "GET", `${at}/${number}/comments?per_page=${PER_PAGE}&page=${page}`)).flatMap(
        ({ id, body, user }) => comment(id, body, field(user, "login"), field(user, "type") === "Bot"),
      ),
    create: async (body) => void (await callApi(api, "POST", `${at}/${number}/comments`, { body })),
    update: async (id, body) => void (await callApi(api, "PATCH", `${at}/comments/${id}`, { body })),
    owner: () => nameOf(api, "login"),
  };
}

export function gitlabComments(api: Api, project: string, number: number): CommentHost {
  const at = `/projects/${encodeURIComponent(project)}/merge_requests/${number}/notes`;
  return {
    page: async (page) =>
      list(
        await callApi(api, "GET", `${at}?sort=asc&order_by=created_at&per_page=${PER_PAGE}&page=${page}`),
      ).flatMap(({ id, body, author }) => comment(id, body, field(author, "username"), false)),
    create: async (body) => void (await callApi(api, "POST", at, { body })),
    update: async (id, body) => void (await callApi(api, "PUT", `${at}/${id}`, { body })),
    owner: () => nameOf(api, "username"),
  };
}

function list(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error("the answer is not a list of comments");
  return value.filter((one) => typeof one === "object" && one !== null);
}

function comment(id: unknown, body: unknown, author: unknown, isApp: boolean): Comment[] {
  if (!Number.isSafeInteger(id) || typeof body !== "string" || typeof author !== "string") return [];
  return [{ id: id as number, body, author, isApp }];
}

/** The token of a job may not ask for it. */
async function nameOf(api: Api, key: string): Promise<string | null> {
  const name = await callApi(api, "GET", "/user").then(
    (user) => field(user, key),
    () => null,
  );
  return typeof name === "string" ? name : null;
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
