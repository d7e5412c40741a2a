import { CrowdaiError } from "@crowdai/shared";
import type { CodeNeeds } from "../../background/code-services.ts";
import { currentChallengeRepository } from "../../background/repositories/current-challenge-repository.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isOrganizerOf, knowsChallenge } from "../../domain/rules/visibility.ts";
import { findByRepositoryName } from "../../domain/submissions/repository-name.ts";
import type { Webapp } from "../../domain/webapp/webapp.ts";

/** A repository as its address names it; without a participant, the challenge's own. */
export interface RequestedRepository {
  challenge: string;
  participant: string | null;
}

/** The services that access to a repository uses. */
export type AccessNeeds = CodeNeeds<
  "records" | "clock" | "catalog" | "host" | "repositories" | "publicRepositories"
>;

/**
 * Returns the bare repository that serves the caller, or null when they may not read one; others may.
 * Participants read their own, organizers all of their challenges, and everyone what is published.
 */
export async function repositoryFor(
  code: AccessNeeds,
  caller: Caller | null,
  asked: RequestedRepository,
): Promise<string | null> {
  return (await privateRepository(code, caller, asked)) ?? publicRepository(code, asked);
}

async function publicRepository(
  code: CodeNeeds<"records" | "publicRepositories">,
  asked: RequestedRepository,
): Promise<string | null> {
  const { records, publicRepositories } = code;
  if (asked.participant === null) return publicRepositories.challenge(asked.challenge);
  const owner = await findByRepositoryName(records.db, asked.participant);
  return owner ? publicRepositories.participant(asked.challenge, owner.id) : null;
}

async function privateRepository(
  code: AccessNeeds,
  caller: Caller | null,
  asked: RequestedRepository,
): Promise<string | null> {
  const { records, catalog, repositories } = code;
  const served = catalog.all().get(asked.challenge);
  if (!served || !caller) return null;
  const isOrganizer = await isOrganizerOf(records.db, caller, asked.challenge);
  if (asked.participant === null) {
    if (!isOrganizer) return null;
    return currentChallengeRepository(code, served.config);
  }
  const owner = await findByRepositoryName(records.db, asked.participant);
  if (!owner || !(isOrganizer || isOwner(caller, owner.id))) return null;
  // An empty repository would reveal that a private challenge exists.
  if (!(await knowsChallenge(records.db, served.config, caller))) return null;
  return repositories.participant(asked.challenge, owner.id);
}

/** Throws repository_unknown unless the caller owns the repository and may push to it. */
export async function requireOwnRepository(
  code: CodeNeeds<"records" | "catalog">,
  caller: Caller,
  asked: RequestedRepository,
): Promise<void> {
  const { catalog, records } = code;
  const served = catalog.all().get(asked.challenge);
  const owner =
    asked.participant === null || !served
      ? undefined
      : await findByRepositoryName(records.db, asked.participant);
  const isKnown = served && (await knowsChallenge(records.db, served.config, caller));
  if (!owner || !isKnown || !isOwner(caller, owner.id)) throw new CrowdaiError("repository_unknown");
}

/**
 * Identifies the caller by a key in the Authorization header: a bearer token, or the password of any user.
 * Null without one.
 */
export async function callerOf(
  webapp: Pick<Webapp, "identify">,
  header: string | undefined,
): Promise<Caller | null> {
  if (!header) return null;
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)\s*$/.exec(header) ?? [];
  if (scheme.toLowerCase() === "bearer") return webapp.identify(value);
  if (scheme.toLowerCase() !== "basic") return null;
  const text = Buffer.from(value, "base64").toString("utf8");
  return webapp.identify(text.slice(text.indexOf(":") + 1));
}

const isOwner = (caller: Caller, id: number) => caller.kind === "participant" && caller.id === id;
