import { CrowdaiError } from "@crowdai/shared";
import type { CiIssuer } from "../../base/ci-issuers.ts";

/** The jobs that a participant trusts. */
export interface Subject {
  issuer: CiIssuer;
  /** Such as `owner/repo` or `group/project`. */
  repository: string;
  /** A full ref, which may end with `*`; `pull_request` or `merge_request`; null for every branch and tag. */
  ref: string | null;
  environment: string | null;
}

const FORM = "Write it as github:owner/repo, github:owner/repo@main, or gitlab:group/project.";
const REPOSITORY: Record<CiIssuer["kind"], RegExp> = {
  github: /^[A-Za-z0-9_-]+\/[\w.-]+$/,
  gitlab: /^[\w.-]+(\/[\w.-]+)+$/,
};
/** The ref that stands for jobs of proposed changes. */
export const CHANGE_REF: Record<CiIssuer["kind"], string> = {
  github: "pull_request",
  gitlab: "merge_request",
};
// As in git, without the characters that have a meaning in subjects.
const REF = /^refs\/(heads|tags)\/(?!.*(\.\.|\/\/|@\{))[^\s~^:?*[\\\p{C}]*\*?$/u;
const ENVIRONMENT = /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]{0,253}[^\s\p{C}])?$/u;

/** Parses `<issuer>:<repository>[@<ref>][:environment:<name>]`. Throws usage, which says what is wrong. */
export function parseSubject(text: string, issuers: readonly CiIssuer[]): Subject {
  // The longest: a host with a port begins like the host alone.
  const issuer = issuers
    .filter(({ name }) => text.startsWith(`${name}:`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!issuer)
    throw refuse(
      `"${text}" does not start with the name of a CI system that this broker accepts`,
      issuers.length === 0 ? "Ask the operator to set CI_ISSUERS." : `It accepts ${listed(issuers)}. ${FORM}`,
    );
  const rest = text.slice(issuer.name.length + 1);
  const [named, environment = null] = cut(rest, ":environment:");
  const [repository, ref = null] = cut(named, "@");
  if (!REPOSITORY[issuer.kind].test(repository) || /(^|\/)\.\.?(\/|$)/.test(repository))
    throw refuse(`"${repository}" is not a repository; a subject names one, without wildcards`, FORM);
  if (environment !== null && !ENVIRONMENT.test(environment))
    throw refuse(`"${environment}" is not the name of an environment`, FORM);
  return { issuer, repository, ref: ref === null ? null : fullRef(ref, issuer), environment };
}

/** Returns the full form of a subject. */
export const subjectText = ({
  issuer,
  repository,
  ref,
  environment,
}: Omit<Subject, "issuer"> & { issuer: string }): string =>
  `${issuer}:${repository}${ref === null ? "" : `@${ref}`}${environment === null ? "" : `:environment:${environment}`}`;

function fullRef(ref: string, { kind }: CiIssuer): string {
  if (ref === CHANGE_REF[kind]) return ref;
  const full = ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  if (REF.test(full) && full.length <= 500 && !/^refs\/(heads|tags)\/$/.test(full)) return full;
  throw refuse(
    `"${ref}" is not a branch or tag`,
    `Write @main, @refs/heads/main, @refs/tags/v* or @${CHANGE_REF[kind]}; "*" is allowed only at the end.`,
  );
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

const listed = (issuers: readonly CiIssuer[]) =>
  issuers.map(({ name, url }) => `${name} (${url})`).join(", ");

const refuse = (message: string, next: string) =>
  new CrowdaiError("usage", `The subject is invalid: ${message}.`, { next });
