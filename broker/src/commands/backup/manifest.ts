import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";

export const MANIFEST = "manifest.json";
export const OBJECT_LIST = "objects.ndjson";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const fileSchema = z.object({ size: z.number().int().min(0), sha256: digest });
export type FileDigest = z.infer<typeof fileSchema>;

/** Describes a backup. It is written last, so that a folder with one is complete. */
export const manifestSchema = z.object({
  schema_version: z.literal(1),
  created_at: z.string(),
  /** Of the broker. */
  version: z.string(),
  /** The broker whose data it holds. */
  instance: z.string().nullable(),
  records: fileSchema.extend({
    dialect: z.enum(["sqlite", "postgres"]),
    file: z.enum(["records.sqlite", "records.dump"]),
    /** The migrations that were applied. */
    migrations: z.array(z.string()),
  }),
  /** The key that signs addresses; null where the object store signs them. */
  secret: fileSchema.nullable(),
  objects: fileSchema.extend({ count: z.number().int().min(0), bytes: z.number().min(0) }),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** An object in a backup: a line of OBJECT_LIST. */
export const listedObjectSchema = fileSchema.extend({ key: z.string() });
export type ListedObject = z.infer<typeof listedObjectSchema>;

/** The bytes of an object are stored once, under their digest. */
export const objectFile = (folder: string, sha256: string): string =>
  join(folder, "objects", sha256.slice(0, 2), sha256);

/** Reads the description of a backup. Throws backup_invalid when it is missing or not one of this version. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), "utf8").catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR")
      throw invalid(`${folder} has no ${MANIFEST}: it is not a backup, or one that was not completed.`);
    throw error;
  });
  const known = manifestSchema.safeParse(parsed(text));
  if (known.success) return known.data;
  const { schema_version: version } = (parsed(text) ?? {}) as { schema_version?: unknown };
  if (typeof version === "number" && version > 1)
    throw invalid("The backup was made by a newer version of the broker.", "Install that version.");
  throw invalid(`${join(folder, MANIFEST)} is damaged.`);
}

export const invalid = (message: string, next?: string) =>
  new CrowdaiError("backup_invalid", message, next ? { next } : {});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
