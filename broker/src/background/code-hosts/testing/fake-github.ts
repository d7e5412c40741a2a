import { readFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ApiExcerpt, Call, DescribedApi } from "./api-description.ts";
import { makeBare } from "./git-backend.ts";
import { type HostAnswer, type LocalHost, serveHost } from "./serve-host.ts";

export interface FakeRepository {
  name: string;
  description: string | null;
  private: boolean;
  archived: boolean;
  actions: boolean;
}

export interface FakeGithub extends LocalHost {
  org: string;
  /** The address of its API, as a GitHub Enterprise has it. */
  apiUrl: string;
  repositories: Map<string, FakeRepository>;
}

const excerpt = JSON.parse(readFileSync(new URL("./github-api.json", import.meta.url), "utf8")) as ApiExcerpt;

/** Starts a GitHub on this machine, with one organization. */
export async function startFakeGithub(): Promise<FakeGithub> {
  const org = "acme";
  const repositories = new Map<string, FakeRepository>();
  const saying = (message: string) => ({ message, documentation_url: "https://docs.github.com/rest" });
  const gone: HostAnswer = { status: 404, body: saying("Not Found") };

  function shown(
    api: DescribedApi,
    { name, description, private: hidden, archived }: FakeRepository,
  ): unknown {
    const known = { name, full_name: `${org}/${name}`, description, private: hidden, archived };
    const visibility = hidden ? "private" : "public";
    return {
      ...api.sample("full-repository"),
      ...known,
      visibility,
      owner: { ...api.sample("simple-user"), login: org },
    };
  }

  async function create(api: DescribedApi, call: Call): Promise<HostAnswer> {
    const { name, description = null, private: hidden = false } = call.body as Partial<FakeRepository>;
    if (call.parameters.org !== org) return { ...gone, undescribed: true };
    if (!/^[\w.-]{1,100}$/.test(name ?? "") || /\.(?:git|wiki)$/.test(name ?? ""))
      return { status: 422, body: saying("name is invalid") };
    const key = (name as string).toLowerCase();
    const error = {
      resource: "Repository",
      code: "custom",
      field: "name",
      message: "name already exists on this account",
    };
    if (repositories.has(key))
      return { status: 422, body: { ...saying("Repository creation failed."), errors: [error] } };
    const made = { name: name as string, description, private: hidden, archived: false, actions: true };
    repositories.set(key, made);
    await makeBare(host.folder, `${org}/${made.name}.git`);
    return { status: 201, body: shown(api, made) };
  }

  const host = await serveHost({
    excerpt,
    below: "/api/v3",
    within: "",
    unknownField: 422,
    saying,
    wrongHeaders: (headers) =>
      !/^application\/(vnd\.github\.v3\+json|vnd\.github\+json|json)/.test(headers.accept ?? "")
        ? `accept: ${headers.accept}`
        : headers["x-github-api-version"] !== "2022-11-28"
          ? `x-github-api-version: ${headers["x-github-api-version"]}`
          : headers["user-agent"]
            ? null
            : "no user-agent",
    tokenOf: ({ authorization }) => /^(?:token|bearer) (.+)$/i.exec(authorization ?? "")?.[1],
    async answer(call, api) {
      if (call.operation === "repos/create-in-org") return create(api, call);
      const { owner, repo = "" } = call.parameters;
      const found = owner === org ? repositories.get(repo.toLowerCase()) : undefined;
      if (!found) return call.operation.startsWith("actions/") ? { status: 204, body: null } : gone;
      if (call.operation === "repos/create-fork") {
        const html_url = `${host.url}/me/${found.name}`;
        const fork = { ...(shown(api, found) as object), html_url, clone_url: `${html_url}.git`, fork: true };
        return { status: 202, body: fork };
      }
      if (call.operation === "repos/delete") {
        repositories.delete(repo.toLowerCase());
        await rm(join(host.folder, org, `${found.name}.git`), { recursive: true });
        return { status: 204, body: null };
      }
      if (call.operation === "actions/set-github-actions-permissions-repository") {
        found.actions = call.body.enabled as boolean;
        return { status: 204, body: null };
      }
      if (call.operation === "repos/update") {
        const { visibility, private: hidden = found.private, ...rest } = call.body;
        if (rest.name && rest.name !== found.name)
          await rename(
            join(host.folder, org, `${found.name}.git`),
            join(host.folder, org, `${rest.name}.git`),
          );
        Object.assign(found, rest, { private: visibility ? visibility !== "public" : hidden });
      }
      return { status: 200, body: shown(api, found) };
    },
    allows(path, isMember) {
      const [, owner, name = ""] = /^\/([^/]+)\/([^/]+)\.git$/.exec(path) ?? [];
      const found = owner === org ? repositories.get(name.toLowerCase()) : undefined;
      if (!found || (found.private && !isMember)) return "none";
      return isMember && !found.archived ? "push" : "read";
    },
  });
  return Object.assign(host, { org, apiUrl: `${host.url}/api/v3`, repositories });
}
