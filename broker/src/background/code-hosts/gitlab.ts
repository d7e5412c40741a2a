import type { CrowdaiError } from "@crowdai/shared";
import { Groups, Projects } from "@gitbeaker/rest";
import { z } from "zod";
import type { Git } from "../git/git.ts";
import type { CodeHost, HostedRepository } from "./code-host.ts";
import { createGitlabRequester, GitlabAnswer } from "./gitlab-requester.ts";
import { type Host, hostError, refused, unreachable } from "./host-errors.ts";
import { type HostDriver, hostedRepositories } from "./hosted-repositories.ts";
import { hostedName, hostedTitle } from "./hosted-repository-name.ts";

const ANSWER_MS = 30_000;

export interface GitlabOptions {
  url: string;
  /** The group's path; it may be a subgroup. */
  group: string;
  token: string;
  git: Git;
  answerMs?: number;
  pushMs?: number;
}

/** The fields of a project that the broker reads. */
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

/** Projects in a group at gitlab.com or at a self-managed GitLab. */
export function createGitlabHost(options: GitlabOptions): CodeHost {
  const { url: web, token, answerMs = ANSWER_MS } = options;
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
  const projects = new Projects(settings);
  const groups = new Groups(settings);
  const edit = (name: string, values: Parameters<typeof projects.edit>[1]) =>
    projects.edit(`${group}/${name}`, values);
  const pageUrl = (repository: HostedRepository) => gitlabAddress(options, repository);

  const driver: HostDriver<Project> = {
    host,
    name: `${web}/${group}`,
    noun: "project",
    user: "oauth2",
    toError: (doing, thrown) => errorFrom(host, doing, thrown),
    schema: projectSchema,
    read: (name) => projects.show(`${group}/${name}`),
    answersTo: (found, name) => found.path_with_namespace.toLowerCase() === `${group}/${name}`.toLowerCase(),
    async make(ask, repository, name) {
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
          // No pushed code is ever run.
          buildsAccessLevel: "disabled",
          autoDevopsEnabled: false,
          issuesAccessLevel: "disabled",
          wikiAccessLevel: "disabled",
          snippetsAccessLevel: "disabled",
        });
      return ask(`create ${name}`, call, projectSchema);
    },
    existsStatus: 400,
    isPrivate: ({ visibility }) => visibility === "private",
    isPublic: ({ visibility }) => visibility === "public",
    show: (name, visibility) => edit(name, { visibility }),
    requireWritable({ archived, marked_for_deletion_on: marked }, name) {
      if (archived)
        throw refused(
          host,
          `has archived ${group}/${name}, which therefore accepts no push.`,
          "Unarchive it.",
        );
      if (marked) throw refused(host, `will delete ${group}/${name} on ${marked}.`, "Restore it.");
    },
    async disableCi(ask, { builds_access_level: builds }, name) {
      if (!builds || builds === "disabled") return;
      const call = () => edit(name, { buildsAccessLevel: "disabled" });
      await ask(`turn off CI in ${name}`, call, projectSchema);
    },
    isBeingDeleted: ({ marked_for_deletion_on: marked }) => Boolean(marked),
    remove: (name) => projects.remove(`${group}/${name}`),
    pageUrl,
    forkUrl: (repository) => `${pageUrl(repository)}/-/forks/new`,
  };
  return hostedRepositories(driver, options);
}

/** Returns the page of a project; git's address is this and `.git`. */
export function gitlabAddress(
  { url, group }: Pick<GitlabOptions, "url" | "group">,
  repository: HostedRepository,
): string {
  const path = trimmed(group).split("/").map(encodeURIComponent).join("/");
  return `${url}/${path}/${hostedName(repository)}`;
}

const trimmed = (path: string) => path.replace(/^\/+|\/+$/g, "");

function errorFrom(host: Host, doing: string, thrown: unknown): CrowdaiError {
  if (!(thrown instanceof GitlabAnswer)) return unreachable(host, "is unreachable.", { cause: thrown });
  const { status, headers, said: message } = thrown;
  return hostError(host, doing, { status, headers, message });
}
