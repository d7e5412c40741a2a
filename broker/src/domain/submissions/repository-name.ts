import type { Db } from "../../records/records.ts";

// Safe file names everywhere: neither an option nor a name that is reserved by git or Windows.
const PLAIN = /^(?=.{1,60}$)[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?=[A-Za-z0-9_-]))*$/;
const RESERVED = /^(?:git|con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|\.(?:git|lock)$/i;
const NUMBERED = /\+([1-9]\d{0,15})$/;

export interface NamedParticipant {
  id: number;
  name: string;
}

/**
 * Returns the participant's name in addresses, paths and submodules: the plain name itself, else its plain
 * part with the participant's number behind a `+`, which no plain name contains.
 */
export function repositoryName({ id, name }: NamedParticipant): string {
  if (PLAIN.test(name) && !RESERVED.test(name)) return name;
  const plain = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[-_]+|[-_]+$/g, "")
    .slice(0, 40);
  return `${plain || "participant"}+${id}`;
}

/** Returns the participant of a repository name; undefined when there is none. */
export async function findByRepositoryName(db: Db, wanted: string): Promise<NamedParticipant | undefined> {
  const id = NUMBERED.exec(wanted)?.[1];
  const row = await db
    .selectFrom("participants")
    .select(["id", "name"])
    .$if(id !== undefined, (query) => query.where("id", "=", Number(id)))
    .$if(id === undefined, (query) => query.where("name_key", "=", wanted.toLowerCase()))
    .executeTakeFirst();
  return row && repositoryName(row).toLowerCase() === wanted.toLowerCase() ? row : undefined;
}

/**
 * Returns the path of a repository below the broker's address. `participant` is a repository name; null means
 * the challenge's own repository.
 */
export function repositoryPath(challenge: string, participant: string | null): string {
  const path = participant === null ? challenge : `${challenge}/${participant}`;
  return `/code/${path.split("/").map(encodeURIComponent).join("/")}.git`;
}
