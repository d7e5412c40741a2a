import { hostedName } from "../../background/code-hosts/hosted-repository-name.ts";
import { repositoryName } from "../../domain/submissions/repository-name.ts";
import type { Db } from "../../records/records.ts";
import type { RequestedRepository } from "./repository-access.ts";

/**
 * Returns the participant's repository with this name on the code host, or null. Submodules refer to each
 * other by these names, so a clone of the challenge's repository from the broker requests them by these
 * names.
 */
export async function resolveHostedName(
  db: Db,
  challenges: Iterable<string>,
  name: string,
): Promise<RequestedRepository | null> {
  for (const challenge of challenges) {
    const itself = hostedName({ challenge, participant: null, edition: "public" });
    if (!name.startsWith(`${itself}.`)) continue;
    const participants = await db
      .selectFrom("participants")
      .select(["id", "name"])
      .where("id", "in", (eb) =>
        eb.selectFrom("code_repositories").select("participant_id").where("challenge", "=", challenge),
      )
      .execute();
    for (const each of participants) {
      const participant = repositoryName(each);
      for (const edition of ["public", "private"] as const)
        if (hostedName({ challenge, participant, edition }) === name) return { challenge, participant };
    }
  }
  return null;
}
