import { CrowdaiError, type Intent } from "@crowdai/shared";
import type { AnnouncedObject } from "@crowdai/shared/objects";
import type { Db } from "../../records/records.ts";
import type { ModelRow, SubmissionRow } from "../../records/tables.ts";

/** Records the announced models of an intent, each with its own key in the object store. */
export async function insertModels(
  trx: Db,
  { id, challenge }: Pick<SubmissionRow, "id" | "challenge">,
  models: Intent["models"],
): Promise<void> {
  if (models.length === 0) return;
  await trx
    .insertInto("models")
    .values(
      models.map(({ name, size, sha256, parts }, index) => ({
        submission: id,
        position: index + 1,
        name,
        size,
        sha256,
        key: `submissions/${challenge}/${id}/models/${index + 1}`,
        part_size: parts?.size ?? null,
        md5: parts ? JSON.stringify(parts.md5) : null,
      })),
    )
    .execute();
}

/** Returns the models of a submission, in the order in which they were announced. */
export async function readModels(
  db: Db,
  { id, model_count }: Pick<SubmissionRow, "id" | "model_count">,
): Promise<ModelRow[]> {
  // Most submissions have none, and every view of a submission asks.
  if (model_count === 0) return [];
  return db.selectFrom("models").selectAll().where("submission", "=", id).orderBy("position").execute();
}

/** Returns what the object store must know about a model. */
export function announcedModel({ size, sha256, part_size, md5 }: ModelRow): AnnouncedObject {
  const parts = md5 === null ? undefined : { size: part_size as number, md5: JSON.parse(md5) };
  return { size, sha256, parts };
}

/** Forgets the parts of uploaded models, which are no longer needed. */
export async function forgetModelParts(
  db: Db,
  { id, model_count }: Pick<SubmissionRow, "id" | "model_count">,
): Promise<void> {
  if (model_count === 0) return;
  await db.updateTable("models").set({ part_size: null, md5: null }).where("submission", "=", id).execute();
}

/** Throws id_conflict unless the known submission has these models, in this order. */
export async function requireSameModels(db: Db, { id, models }: Intent, row: SubmissionRow): Promise<void> {
  const facts = (all: { name: string; size: number; sha256: string }[]) =>
    JSON.stringify(all.map(({ name, size, sha256 }) => [name, Number(size), sha256]));
  if (facts(await readModels(db, row)) !== facts(models))
    throw new CrowdaiError("id_conflict", `The id "${id}" was already used with other models.`);
}
