import { type Artifact, type StoredFile, storedFileSchema } from "@crowdai/shared";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { readModels } from "./models.ts";
import type { Needs } from "./services.ts";

/**
 * The artifact that only its participant and organizers see, also once the submission is published: it may
 * quote their input.
 */
export const isDetailedResults = ({ kind, name }: Pick<Artifact, "kind" | "name">): boolean =>
  kind === "artifact" && name === "detailed_results.html";

export type StoredArtifact = StoredFile & Pick<Artifact, "kind">;

/**
 * Returns the participant's models, then the evaluator's artifacts, in their order. Models are stored once
 * the submission is accepted.
 */
export async function readArtifacts(
  db: Db,
  row: Pick<SubmissionRow, "id" | "accepted_at" | "artifacts" | "model_count">,
): Promise<StoredArtifact[]> {
  const artifacts = row.artifacts === null ? [] : storedFileSchema.array().parse(JSON.parse(row.artifacts));
  const models = row.accepted_at !== null ? await readModels(db, row) : [];
  return [
    ...models.map(({ name, size, sha256, key }) => ({
      kind: "model" as const,
      name,
      size: Number(size),
      sha256,
      key,
      type: "application/octet-stream",
    })),
    ...artifacts.map((file) => ({ kind: "artifact" as const, ...file })),
  ];
}

/**
 * Returns the artifacts as participants see them. A file's URL contains its number in the list, because names
 * may repeat or be invalid in a path.
 */
export async function listArtifacts(
  { baseUrl }: Needs<"baseUrl">,
  db: Db,
  row: SubmissionRow,
): Promise<Artifact[]> {
  const files = await readArtifacts(db, row);
  return files.map(({ kind, name, size, sha256, type }, index) => ({
    kind,
    name,
    size,
    sha256,
    type,
    url: `${baseUrl()}/api/v1/submissions/${row.id}/artifacts/${index + 1}`,
  }));
}
