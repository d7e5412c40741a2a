import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ApiExcerpt, Call, DescribedApi } from "./api-description.ts";
import { makeBare } from "./git-backend.ts";
import { type HostAnswer, type LocalHost, serveHost } from "./serve-host.ts";

export interface FakeProject {
  id: number;
  name: string;
  path: string;
  description: string | null;
  visibility: "private" | "internal" | "public";
  archived: boolean;
  builds_access_level: string;
  marked_for_deletion_on: string | null;
}

export interface FakeGitlab extends LocalHost {
  group: string;
  groupVisibility: FakeProject["visibility"];
  projects: Map<string, FakeProject>;
}

const excerpt = JSON.parse(readFileSync(new URL("./gitlab-api.json", import.meta.url), "utf8")) as ApiExcerpt;
const GROUP_ID = 7;
// GitLab's rule: no two signs in a row, and none at the ends.
const PATH = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/i;

/** Starts a GitLab on this machine, with one subgroup. */
export async function startFakeGitlab(): Promise<FakeGitlab> {
  const group = "acme/challenges";
  const projects = new Map<string, FakeProject>();
  const saying = (message: unknown) => ({ message });
  const gone: HostAnswer = { status: 404, body: saying("404 Project Not Found") };
  let last = 0;

  function shown(api: DescribedApi, project: FakeProject): unknown {
    const web_url = `${host.url}/${group}/${project.path}`;
    const path_with_namespace = `${group}/${project.path}`;
    const urls = { path_with_namespace, web_url, http_url_to_repo: `${web_url}.git` };
    return { ...api.sample("ProjectWithAccess"), ...project, ...urls };
  }

  async function create(api: DescribedApi, { body }: Call): Promise<HostAnswer> {
    const { name, path = name, description = null } = body as unknown as FakeProject;
    const visibility = (body.visibility ?? "private") as FakeProject["visibility"];
    if (body.namespace_id !== GROUP_ID) return { status: 400, body: saying({ namespace: ["is not valid"] }) };
    if (!PATH.test(path) || /\.(?:git|atom)$/.test(path))
      return { status: 400, body: saying({ path: ["must not start or end with a special character"] }) };
    if (projects.has(path.toLowerCase()))
      return {
        status: 400,
        body: saying({ name: ["has already been taken"], path: ["has already been taken"] }),
      };
    const refusal = tooVisible(visibility);
    if (refusal) return refusal;
    const builds_access_level = (body.builds_access_level ?? "enabled") as string;
    const made: FakeProject = {
      id: ++last,
      name,
      path,
      description,
      visibility,
      archived: false,
      builds_access_level,
      marked_for_deletion_on: null,
    };
    projects.set(path.toLowerCase(), made);
    await makeBare(host.folder, `${group}/${path}.git`);
    return { status: 201, body: shown(api, made) };
  }

  function tooVisible(visibility: FakeProject["visibility"]): HostAnswer | null {
    const ranks = ["private", "internal", "public"];
    if (ranks.indexOf(visibility) <= ranks.indexOf(host.groupVisibility)) return null;
    const why = `${visibility} is not allowed in a ${host.groupVisibility} group.`;
    return { status: 400, body: saying({ visibility_level: [why] }) };
  }

  const served = await serveHost({
    excerpt,
    below: "/api/v4",
    within: "/api/v4",
    unknownField: 400,
    saying,
    wrongHeaders: (headers) => (headers["user-agent"] ? null : "no user-agent"),
    tokenOf: (headers) => headers["private-token"] as string | undefined,
    async answer(call, api) {
      const id = call.parameters.id ?? "";
      if (call.operation === "getApiV4GroupsId") {
        if (id !== group) return { status: 404, body: saying("404 Group Not Found") };
        const known = {
          id: GROUP_ID,
          full_path: group,
          path: "challenges",
          visibility: host.groupVisibility,
        };
        return { status: 200, body: { ...api.sample("GroupDetail"), ...known } };
      }
      if (call.operation === "postApiV4Projects") return create(api, call);
      const name = id.startsWith(`${group}/`) ? id.slice(group.length + 1).toLowerCase() : "";
      const found = projects.get(name);
      if (!found) return gone;
      if (call.operation === "postApiV4ProjectsIdFork") {
        const web_url = `${host.url}/me/${found.path}`;
        const path_with_namespace = `me/${found.path}`;
        const urls = { path_with_namespace, web_url, http_url_to_repo: `${web_url}.git` };
        return { status: 201, body: { ...(shown(api, found) as object), ...urls } };
      }
      if (call.operation === "deleteApiV4ProjectsId") {
        projects.delete(name);
        await rm(join(host.folder, group, `${found.path}.git`), { recursive: true });
        return { status: 202, body: saying("202 Accepted") };
      }
      if (call.operation === "putApiV4ProjectsId") {
        const refusal = tooVisible((call.body.visibility ?? "private") as FakeProject["visibility"]);
        if (refusal) return refusal;
        Object.assign(found, call.body);
      }
      return { status: 200, body: shown(api, found) };
    },
    allows(path, isMember) {
      const [, owner, name = ""] = /^\/(.+)\/([^/]+)\.git$/.exec(path) ?? [];
      const found = owner === group ? projects.get(name.toLowerCase()) : undefined;
      if (!found || (found.visibility !== "public" && !isMember)) return "none";
      return isMember && !found.archived ? "push" : "read";
    },
  });
  const groupVisibility: FakeProject["visibility"] = "public";
  const host: FakeGitlab = Object.assign(served, { group, groupVisibility, projects });
  return host;
}
