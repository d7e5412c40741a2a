import { createHash } from "node:crypto";
import type { HostedRepository } from "./code-host.ts";

const MAX_CHALLENGE_LENGTH = 34;
const MAX_PARTICIPANT_LENGTH = 36;
// Both GitHub and GitLab accept these anywhere in a name: no two signs in a row and no sign at either end,
// which GitLab rejects.
const PLAIN_CHALLENGE = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;
const PLAIN_PARTICIPANT = /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/;
const DIGEST = /^x[0-9a-f]{8}$/i;
/** Suffixes with a meaning here or at a host. */
const ENDINGS = new Set(["private", "git", "wiki", "atom"]);
/** Names that GitLab reserves within a project. */
const RESERVED = new Set(
  "badges blame blob builds commits create create_dir edit environments files find_file gitlab-lfs info new preview raw refs tree update wikis".split(
    " ",
  ),
);

/**
 * Returns the name of a repository at a host, where all repositories share one namespace: `iris` and
 * `iris.ada` for public ones, `iris.private` and `iris.ada.private` for private ones. A part that the hosts
 * would reject is replaced by its plain characters and a digest, so that no two repositories share a name,
 * whatever their case. At most 99 characters.
 */
export function hostedName({ challenge, participant, edition }: HostedRepository): string {
  const parts = [
    PLAIN_CHALLENGE.test(challenge) && challenge.length <= MAX_CHALLENGE_LENGTH && !RESERVED.has(challenge)
      ? challenge
      : digested(challenge, MAX_CHALLENGE_LENGTH, "challenge"),
  ];
  if (participant !== null)
    parts.push(
      PLAIN_PARTICIPANT.test(participant) &&
        participant.length <= MAX_PARTICIPANT_LENGTH &&
        !DIGEST.test(participant) &&
        !ENDINGS.has(participant.toLowerCase())
        ? participant
        : digested(participant, MAX_PARTICIPANT_LENGTH, "participant"),
    );
  if (edition === "private") parts.push("private");
  return parts.join(".");
}

/**
 * Part of the description of every repository that the broker created; it never pushes to, shows or removes
 * another one.
 */
export const REPOSITORY_MARK = "(kept by crowdAI)";

/** Returns the description of the repository. */
export function hostedTitle({ challenge, participant, edition }: HostedRepository): string {
  const whose = participant === null ? "Code submitted to" : `Code of ${participant} for`;
  return `${whose} ${challenge}${edition === "public" ? ", published" : ""} ${REPOSITORY_MARK}`;
}

/**
 * Returns the address of `to` relative to `from`, or the whole address when they are not in the same folder.
 */
export function relativeUrl(from: string, to: string): string {
  const folder = (url: string) => url.slice(0, url.lastIndexOf("/") + 1);
  return folder(from) === folder(to) ? `../${to.slice(folder(to).length)}` : to;
}

function digested(text: string, maxLength: number, otherwise: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .slice(0, maxLength)
    .replace(/^-+|-+$/g, "");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${plain || otherwise}.x${digest}`;
}
