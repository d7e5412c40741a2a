import { NAME, nameKey } from "../../../domain/participants/api-keys.ts";
import { commit } from "../../../records/commit.ts";
import type { Db, Records } from "../../../records/records.ts";

/**
 * Returns the local record of a participant of the webapp. It is created on first use, under a placeholder
 * name until the webapp sends the right one.
 */
export async function localParticipant(
  records: Records,
  webappId: number,
  now: string,
): Promise<{ id: number; name: string }> {
  const known = await read(records.db, webappId);
  if (known) return known;
  return commit(records, "local-participant", async (trx) => {
    await records.lock(trx, `webapp-participant:${webappId}`);
    const raced = await read(trx, webappId);
    if (raced) return raced;
    const name = await freeName(trx, `participant-${webappId}`);
    const made = await trx
      .insertInto("participants")
      .values({ name, name_key: nameKey(name), created_at: now })
      .returning(["id", "name"])
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("webapp_participants")
      .values({ webapp_id: webappId, participant_id: made.id })
      .execute();
    return made;
  });
}

/** Takes over the name that the webapp sends, unless it is invalid here or belongs to another participant. */
export async function renameParticipant(records: Records, id: number, name: string): Promise<void> {
  if (!NAME.test(name)) return;
  await commit(records, "rename-participant", async (trx) => {
    await records.lock(trx, `participant-name:${nameKey(name)}`);
    if (await isTaken(trx, name, id)) return;
    await trx
      .updateTable("participants")
      .set({ name, name_key: nameKey(name) })
      .where("id", "=", id)
      .where("name", "!=", name)
      .execute();
  });
}

async function freeName(db: Db, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if (!(await isTaken(db, name, null))) return name;
  }
}

async function isTaken(db: Db, name: string, but: number | null): Promise<boolean> {
  const row = await db
    .selectFrom("participants")
    .select("id")
    .where("name_key", "=", nameKey(name))
    .executeTakeFirst();
  return row !== undefined && row.id !== but;
}

function read(db: Db, webappId: number) {
  return db
    .selectFrom("webapp_participants")
    .innerJoin("participants", "participants.id", "webapp_participants.participant_id")
    .select(["participants.id", "participants.name"])
    .where("webapp_id", "=", webappId)
    .executeTakeFirst();
}
