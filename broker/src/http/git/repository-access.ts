import { CrowdaiError } from "@crowdai/shared";
import type { CodeNeeds } from "../../background/code-services.ts";
import { currentChallengeRepository } from "../../background/repositories/current-challenge-repository.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { isOrganizerOf } from "../../domain/rules/visibility.ts";
import { findByRepositoryName } from "../../domain/submissions/repository-name.ts";
import type { Webapp } from "../../domain/webapp/webapp.ts";

/** A repository as its address names it; `participant` null is the challenge's own. */
export interface RequestedRepository {
  challenge: string;
  participant: string | null;
}

/** What serving a repository uses. */
export type AccessNeeds = CodeNeeds<
  "records" | "clock" | "catalog" | "host" | "repositories" | "publicRepositories"
>;

/**
 * The bare repository that serves the caller; null means that there is none for them, which says nothing about whether there is one
 * for others. Participants read their own, organisers all of their challenges, and everybody what is published.
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
  const organises = await isOrganizerOf(records.db, caller, asked.challenge);
  if (asked.participant === null) {
    if (!organises) return null;
    return currentChallengeRepository(code, served.config);
  }
  const owner = await findByRepositoryName(records.db, asked.participant);
  if (!owner || !(organises || isOwner(caller, owner.id))) return null;
  return repositories.participant(asked.challenge, owner.id);
}

/** Whose key it is, for a push into the named repository. Throws repository_unknown unless it is the caller's own. */
export async function requireOwnRepository(
  code: CodeNeeds<"records" | "catalog">,
  caller: Caller,
  asked: RequestedRepository,
): Promise<void> {
  const { catalog, records } = code;
  const owner =
    asked.participant === null || !catalog.all().has(asked.challenge)
      ? undefined
      : await findByRepositoryName(records.db, asked.participant);
  if (!owner || !isOwner(caller, owner.id)) throw new CrowdaiError("repository_unknown");
}

/** Whose credentials an Authorization header carries: a key as the password of any user, or as a bearer; null for none. */
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
