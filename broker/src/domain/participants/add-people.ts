import { createApiKey, hashApiKey } from "@crowdai/shared";
import type { Insertable } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Db, Records } from "../../records/records.ts";
import type { Tables } from "../../records/tables.ts";
import { nameKey } from "./api-keys.ts";
import { LineErrors, type PersonRow } from "./people-file.ts";

/** Rows of one statement: both databases limit its parameters. */
const BATCH = 500;

/**
 * Adds the participants of a file with their keys and invitations, all or none. Returns the keys in the order
 * of the rows; they are not stored. Throws usage for names that are taken.
 */
export async function addPeople(
  records: Pick<Records, "transaction">,
  rows: readonly PersonRow[],
  now: string,
): Promise<string[]> {
  const keys = rows.map(() => createApiKey());
  await commit(records, "add-people", async (trx) => {
    const ids = await insertParticipants(trx, rows, now);
    const idOf = (row: PersonRow) => ids.get(nameKey(row.name)) as number;
    await inBatches(
      rows.map((row, index) => ({
        hash: hashApiKey(keys[index] as string),
        owner: "participant" as const,
        owner_id: idOf(row),
        created_at: now,
        revoked_at: null,
        label: row.label ?? row.member ?? null,
        member: row.member ?? null,
        last_used_at: null,
      })),
      (batch) => trx.insertInto("api_keys").values(batch).execute(),
    );
    const invitations = new Map<string, Insertable<Tables["invitations"]>>();
    for (const row of rows)
      for (const challenge of row.challenges)
        invitations.set(`${idOf(row)} ${challenge}`, {
          challenge,
          participant_id: idOf(row),
          created_at: now,
        });
    await inBatches([...invitations.values()], (batch) =>
      trx.insertInto("invitations").values(batch).execute(),
    );
  });
  return keys;
}

/** Returns the ids of the new participants by the key of their name. */
async function insertParticipants(
  trx: Db,
  rows: readonly PersonRow[],
  now: string,
): Promise<Map<string, number>> {
  const wanted = new Map<string, PersonRow>();
  for (const row of rows) if (!wanted.has(nameKey(row.name))) wanted.set(nameKey(row.name), row);
  const ids = new Map<string, number>();
  await inBatches([...wanted], async (batch) => {
    const made = await trx
      .insertInto("participants")
      .values(batch.map(([name_key, { name }]) => ({ name, name_key, created_at: now })))
      .onConflict((conflict) => conflict.column("name_key").doNothing())
      .returning(["id", "name_key"])
      .execute();
    for (const { id, name_key } of made) ids.set(name_key, id);
  });
  const errors = new LineErrors();
  for (const [name_key, { line, name }] of wanted)
    if (!ids.has(name_key)) errors.add(line, `there is already a participant named ${JSON.stringify(name)}`);
  errors.check();
  return ids;
}

async function inBatches<T>(all: readonly T[], write: (batch: T[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < all.length; start += BATCH) await write(all.slice(start, start + BATCH));
}
