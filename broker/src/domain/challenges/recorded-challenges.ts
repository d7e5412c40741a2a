import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { z } from "zod";
import type { Db } from "../../records/records.ts";
import type { ChallengeTable } from "../../records/tables.ts";

/** Location of a bundle in the object store. */
export interface StoredBundle {
  key: string;
  size: number;
  sha256: string;
}

/** A public file whose bytes are in the object store. */
export interface StoredPublicFile {
  name: string;
  size: number;
  sha256: string;
  key: string;
}

export interface RecordedChallenge {
  config: ChallengeConfig;
  version: string;
  data: StoredPublicFile[];
  bundle: StoredBundle;
}

const dataSchema = z.array(
  z.object({ name: z.string(), size: z.number(), sha256: z.string(), key: z.string() }),
);

/** Returns the ids and versions of the current bundles. Cheap enough to call every few seconds. */
export async function currentVersions(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom("challenges").select(["id", "version"]).where("current", "=", 1).execute();
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/**
 * Returns the recorded current version of a challenge. Throws config_invalid when this broker cannot read it.
 */
export async function readRecorded(db: Db, id: string): Promise<RecordedChallenge | null> {
  const row = await db
    .selectFrom("challenges")
    .selectAll()
    .where("id", "=", id)
    .where("current", "=", 1)
    .executeTakeFirst();
  return row ? parse(row) : null;
}

/** Returns the bundle of a version; undefined when that version was never added. */
export async function findBundle(db: Db, id: string, version: string): Promise<StoredBundle | undefined> {
  return await db
    .selectFrom("challenges")
    .select(["bundle_key as key", "bundle_size as size", "bundle_sha256 as sha256"])
    .where("id", "=", id)
    .where("version", "=", version)
    .executeTakeFirst();
}

function parse(row: ChallengeTable): RecordedChallenge {
  try {
    return {
      config: challengeConfigSchema.parse(JSON.parse(row.config)),
      version: row.version,
      data: dataSchema.parse(JSON.parse(row.data)),
      bundle: { key: row.bundle_key, size: row.bundle_size, sha256: row.bundle_sha256 },
    };
  } catch (cause) {
    throw new CrowdaiError(
      "config_invalid",
      `This broker cannot read version ${row.version} of ${row.id}, which was added as a bundle.`,
      { cause, next: "Add it again with `crowdai-broker challenge add <dir>`." },
    );
  }
}
