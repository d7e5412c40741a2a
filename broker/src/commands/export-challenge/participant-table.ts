import { sql } from "kysely";
import { findDisqualification } from "../../domain/participants/disqualifications.ts";
import { readMembers } from "../../domain/participants/list-keys.ts";
import { readProfiles } from "../../domain/profiles/profiles.ts";
import type { Db } from "../../records/records.ts";
import { PAGE, pagesOf } from "./read-pages.ts";
import type { Table, TableRow } from "./table.ts";

/**
 * Lists the participants who submitted to a challenge or are invited to it, without anything about their
 * keys. Their profiles are included where the challenge shows them.
 */
export function participantTable(trx: Db, challenge: string, withProfiles: boolean): Table {
  return {
    name: "participants",
    columns: {
      participant: "text",
      members: "text",
      created_at: "time",
      invited: "boolean",
      submissions: "integer",
      disqualified_at: "time",
      disqualified_reason: "text",
      shown_name: "text",
      affiliation: "text",
      link: "text",
    },
    pages: readRows(trx, challenge, withProfiles),
  };
}

async function* readRows(trx: Db, challenge: string, withProfiles: boolean): AsyncGenerator<TableRow[]> {
  const pages = pagesOf<Awaited<ReturnType<typeof readPage>>[number]>((last) =>
    readPage(trx, challenge, last?.id ?? 0),
  );
  for await (const page of pages) {
    const ids = page.map(({ id }) => id);
    const members = await readMembers(trx, ids);
    const profiles = withProfiles ? await readProfiles(trx, ids) : new Map();
    const decided = await trx
      .selectFrom("disqualifications")
      .select("participant_id")
      .distinct()
      .where("participant_id", "in", ids)
      .execute();
    const disqualified = new Map<number, Awaited<ReturnType<typeof findDisqualification>>>();
    for (const { participant_id: id } of decided)
      disqualified.set(id, await findDisqualification(trx, challenge, id));
    yield page.map(({ id, name, created_at, invited, submissions }) => ({
      participant: name,
      members: (members.get(id) ?? []).join(", ") || null,
      created_at,
      invited: invited !== null,
      submissions: Number(submissions),
      disqualified_at: disqualified.get(id)?.at ?? null,
      disqualified_reason: disqualified.get(id)?.reason ?? null,
      shown_name: profiles.get(id)?.name ?? null,
      affiliation: profiles.get(id)?.affiliation ?? null,
      link: profiles.get(id)?.link ?? null,
    }));
  }
}

const readPage = (trx: Db, challenge: string, after: number) =>
  trx
    .selectFrom("participants")
    .leftJoin("invitations", (join) =>
      join
        .onRef("invitations.participant_id", "=", "participants.id")
        .on("invitations.challenge", "=", challenge),
    )
    .leftJoin(
      trx
        .selectFrom("submissions")
        .select(["participant_id", sql<number>`count(*)`.as("submissions")])
        .where("challenge", "=", challenge)
        .where("function", "=", "submit")
        .groupBy("participant_id")
        .as("counted"),
      "counted.participant_id",
      "participants.id",
    )
    .select(["participants.id", "name", "participants.created_at", "invitations.participant_id as invited"])
    .select(sql<number>`coalesce(counted.submissions, 0)`.as("submissions"))
    .where("participants.id", ">", after)
    .where((eb) =>
      eb.or([eb("invitations.participant_id", "is not", null), eb("counted.submissions", "is not", null)]),
    )
    .orderBy("participants.id")
    .limit(PAGE)
    .execute();
