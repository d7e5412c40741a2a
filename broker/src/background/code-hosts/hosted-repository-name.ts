import { createHash } from "node:crypto";
import type { HostedRepository } from "./code-host.ts";

const MAX_CHALLENGE_LENGTH = 34;
const MAX_PARTICIPANT_LENGTH = 36;
// What GitHub and GitLab both take anywhere in a name, without what GitLab refuses: doubled signs, and signs at an end.
const PLAIN_CHALLENGE = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;
const PLAIN_PARTICIPANT = /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/;
const DIGEST = /^x[0-9a-f]{8}$/i;
/** Endings that mean something here or at a host. */
const ENDINGS = new Set(["private", "git", "wiki", "atom"]);
/** What GitLab keeps as names of a project for itself. */
const KEPT = new Set(
  "badges blame blob builds commits create create_dir edit environments files find_file gitlab-lfs info new preview raw refs tree update wikis".split(
    " ",
  ),
);

/**
 * The name of a repository at a host where all stand in one place: `iris` and `iris.ada` for what is public, `iris.private` and
 * `iris.ada.private` for what is not. A part that the hosts do not take as it is stands there as what is plain of it and a digest, so
 * that no two repositories have one name, whatever their case. At most 99 characters.
 */
export function hostedName({ challenge, participant, edition }: HostedRepository): string {
  const parts = [
    PLAIN_CHALLENGE.test(challenge) && challenge.length <= MAX_CHALLENGE_LENGTH && !KEPT.has(challenge)
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

/** Stands in the description of every repository of ours: no other is ever pushed to, shown or removed. */
export const MARK = "(kept by crowdAI)";

/** What the repository's description says. */
export function hostedTitle({ challenge, participant, edition }: HostedRepository): string {
  const whose = participant === null ? "Code submitted to" : `Code of ${participant} for`;
  return `${whose} ${challenge}${edition === "public" ? ", published" : ""} ${MARK}`;
}

/** The address of `to` as it reads from `from`; whole where they do not stand side by side. */
export function besideIt(from: string, to: string): string {
  const folder = (url: string) => url.slice(0, url.lastIndexOf("/") + 1);
  return folder(from) === folder(to) ? `../${to.slice(folder(to).length)}` : to;
}

function digested(text: string, longest: number, otherwise: string): string {
  const plain = text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .slice(0, longest)
    .replace(/^-+|-+$/g, "");
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${plain || otherwise}.x${digest}`;
}
