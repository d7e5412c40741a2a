import { CrowdaiError } from "@crowdai/shared";
import { Groups, Projects } from "@gitbeaker/rest";
import { z } from "zod";
import type { Git } from "../code/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createGitlabRequester, GitlabAnswer } from "./gitlab-requester.ts";
import { createPause, type Host, refused, statusOf, troubleOf, unreachable } from "./host-trouble.ts";
import { hostedName, hostedTitle, MARK } from "./hosted-name.ts";
import { pushMirror } from "./push-mirror.ts";

const ANSWER_MS = 30_000;

export interface GitlabOptions {
  url: string;
  /** Its path, which may be a subgroup's. */
  group: string;
  token: string;
  git: Git;
  answerMs?: number;
  pushMs?: number;
}

/** What we read of a project. */
const projectSchema = z.object({
  id: z.number().int(),
  description: z.string().nullish(),
  path_with_namespace: z.string(),
  visibility: z.enum(["private", "internal", "public"]),
  archived: z.boolean(),
  builds_access_level: z.string().optional(),
  marked_for_deletion_on: z.string().nullish(),
});
type Project = z.output<typeof projectSchema>;
const groupSchema = z.object({ id: z.number().int() });

/** Projects in a group at GitLab, or at a GitLab of one's own. */
export function createGitlabHost(options: GitlabOptions): CodeHost {
  const { url: web, token, git, answerMs = ANSWER_MS } = options;
  const group = trimmed(options.group);
  const host: Host = {
    label: `GitLab at ${web}`,
    tokenName: "GITLAB_TOKEN",
    placeName: "GITLAB_GROUP",
    place: group,
    rights: "the scope api and the role Owner in the group",
    token,
  };
  const settings = { host: web, token, requesterFn: createGitlabRequester(answerMs) };
  const pause = createPause(host);
  const projects = new Projects(settings);
  const groups = new Groups(settings);

  async function ask<T>(doing: string, call: () => Promise<unknown>, schema: z.ZodType<T>): Promise<T> {
    const answer = await pause.keep(() =>
      call().catch((thrown) => {
        throw troubleFrom(host, doing, thrown);
      }),
    );
    const read = schema.safeParse(answer);
    if (read.success) return read.data;
    throw unreachable(
      host,
      "answered in a form that is not its own; something in between may have answered.",
    );
  }

  async function find(name: string): Promise<Project | null> {
    try {
      const found = await ask(`read ${name}`, () => projects.show(`${group}/${name}`), projectSchema);
      // A project that somebody moved still answers to its old path.
      const isThere = found.path_with_namespace.toLowerCase() === `${group}/${name}`.toLowerCase();
      return isThere ? found : null;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  async function make(repository: HostedRepository, name: string): Promise<Project> {
    const { id } = await ask(
      "read the group",
      () => groups.show(group, { withProjects: false }),
      groupSchema,
    );
    const call = () =>
      projects.create({
        name,
        path: name,
        namespaceId: id,
        description: hostedTitle(repository),
        visibility: "private",
        // Nothing of what is pushed is run.
        buildsAccessLevel: "disabled",
        autoDevopsEnabled: false,
        issuesAccessLevel: "disabled",
        wikiAccessLevel: "disabled",
        snippetsAccessLevel: "disabled",
      });
    try {
      return await ask(`make ${name}`, call, projectSchema);
    } catch (error) {
      // Another broker may have made it a moment ago.
      const there = statusOf(error) === 400 ? await find(name) : null;
      if (there) return there;
      throw error;
    }
  }

  function requireOurs({ description }: Project, name: string): void {
    if (description?.includes(MARK)) return;
    throw refused(
      host,
      `has a project ${group}/${name} that the broker did not make.`,
      `Rename it; or, if it is the broker's, put "${MARK}" into its description.`,
    );
  }

  function requireWritable({ archived, marked_for_deletion_on: marked }: Project, name: string): void {
    if (archived)
      throw refused(host, `has archived ${group}/${name}, so nothing can be pushed.`, "Unarchive it.");
    if (marked) throw refused(host, `is about to delete ${group}/${name} (${marked}).`, "Restore it.");
  }

  const change = (name: string, what: string, values: Parameters<typeof projects.edit>[1]) =>
    ask(`make ${name} ${what}`, () => projects.edit(`${group}/${name}`, values), projectSchema);

  const address = (repository: HostedRepository) => gitlabAddress(options, repository);
  return {
    name: `${web}/${group}`,
    outside: true,
    async ensure(repository) {
      const name = hostedName(repository);
      const found = (await find(name)) ?? (await make(repository, name));
      requireOurs(found, name);
      requireWritable(found, name);
      if (repository.edition === "private" && found.visibility !== "private")
        await change(name, "private", { visibility: "private" });
      if (found.builds_access_level && found.builds_access_level !== "disabled")
        await change(name, "run nothing", { buildsAccessLevel: "disabled" });
    },
    mirror: (repository, path) =>
      pause.keep(() =>
        pushMirror({
          git,
          host,
          user: "oauth2",
          url: `${address(repository)}.git`,
          path,
          longestMs: options.pushMs,
        }),
      ),
    async publish(repository) {
      if (repository.edition !== "public")
        throw new CrowdaiError("unexpected", "Private code is not published.");
      const name = hostedName(repository);
      const found = await find(name);
      if (!found) throw unreachable(host, `no longer has ${group}/${name}; it is made again.`);
      requireOurs(found, name);
      if (found.visibility !== "public") await change(name, "public", { visibility: "public" });
    },
    async remove(repository) {
      const name = hostedName(repository);
      const found = await find(name);
      if (!found || found.marked_for_deletion_on) return;
      requireOurs(found, name);
      const call = () => projects.remove(`${group}/${name}`);
      await ask(`remove ${name}`, call, z.unknown()).catch((error) => {
        if (statusOf(error) !== 404) throw error;
      });
    },
    cloneUrl: (repository) => `${address(repository)}.git`,
    pageUrl: address,
    forkUrl: (repository) => `${address(repository)}/-/forks/new`,
  };
}

/** The page of a project; git's address is this and `.git`. */
export function gitlabAddress(
  { url, group }: Pick<GitlabOptions, "url" | "group">,
  repository: HostedRepository,
): string {
  const path = trimmed(group).split("/").map(encodeURIComponent).join("/");
  return `${url}/${path}/${hostedName(repository)}`;
}

const trimmed = (path: string) => path.replace(/^\/+|\/+$/g, "");

function troubleFrom(host: Host, doing: string, thrown: unknown): CrowdaiError {
  if (!(thrown instanceof GitlabAnswer)) return unreachable(host, "cannot be reached.", { cause: thrown });
  const { status, headers, said: message } = thrown;
  return troubleOf(host, doing, { status, headers, message });
}
