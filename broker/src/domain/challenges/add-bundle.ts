import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CrowdaiError } from "@crowdai/shared";
import {
  bundleContents,
  bundleKey,
  imagePaths,
  packBundle,
  publicFileKey,
  unpackBundle,
} from "@crowdai/shared/bundles";
import { type ChallengeFolder, digestFile, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { ObjectStore, StoredObject } from "@crowdai/shared/objects";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { ChallengeTable } from "../../records/tables.ts";
import type { StoredPublicFile } from "./recorded-challenges.ts";

export interface AddedBundle {
  id: string;
  version: string;
  size: number;
  /** False when this version was already current. */
  changed: boolean;
}

/**
 * Checks a challenge folder, stores it as a bundle and makes it the challenge's current version. Nothing is
 * recorded until the bundle has been unpacked and verified. Adding the same folder again is harmless; an
 * earlier version becomes current again.
 */
export async function addBundle(
  { records, objects }: { records: Records; objects: ObjectStore },
  dir: string,
  at: string,
): Promise<AddedBundle> {
  const folder = await loadChallengeFolder(dir);
  const { id } = folder.config;
  const contents = await bundleContents(dir, imagePaths(folder.config));
  const { version, problems } = contents;
  if (problems.length > 0) {
    const lines = problems.map(({ file, expected, got }) => `  ${file}: expected ${expected}, got ${got}`);
    throw new CrowdaiError("config_invalid", `${id} cannot be bundled:\n${lines.join("\n")}`, {
      details: { mistakes: problems },
    });
  }
  const key = bundleKey(id, version);
  const temporary = await mkdtemp(join(tmpdir(), "crowdai-bundle-"));
  let stored: StoredObject;
  let data: StoredPublicFile[];
  try {
    const archive = join(temporary, "bundle.tar.gz");
    await pipeline(packBundle(contents), createWriteStream(archive, { mode: 0o600 }));
    const unpacked = await rehearse(archive, join(temporary, "unpacked"), { version, config: folder.config });
    data = await storePublicFiles(unpacked, objects);
    // Another runtime may have compressed the same files to different bytes; then those are the bundle.
    stored = (await objects.stat(key)) ?? (await putFile(objects, key, archive, "application/gzip"));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  const changed = await record(records, {
    id,
    version,
    config: JSON.stringify(folder.config),
    data: JSON.stringify(data),
    bundle_key: key,
    bundle_size: stored.size,
    bundle_sha256: stored.sha256,
    added_at: at,
  });
  return { id, version, size: stored.size, changed };
}

/** Unpacks the archive as a grader would. The result must be a valid challenge with the same version. */
async function rehearse(
  archive: string,
  into: string,
  { version, config }: Pick<ChallengeFolder, "config"> & { version: string },
): Promise<ChallengeFolder> {
  await unpackBundle(createReadStream(archive), into);
  if ((await bundleContents(into, imagePaths(config))).version !== version)
    throw new CrowdaiError("file_changed", "The challenge folder changed while it was read.", {
      next: "Add it again once nothing writes to it.",
    });
  return await loadChallengeFolder(into);
}

async function storePublicFiles(folder: ChallengeFolder, objects: ObjectStore): Promise<StoredPublicFile[]> {
  const stored: StoredPublicFile[] = [];
  for (const { name, path, size, sha256 } of folder.data) {
    const key = publicFileKey(folder.config.id, sha256);
    if (!(await objects.stat(key))) await putFile(objects, key, path);
    stored.push({ name, size, sha256, key });
  }
  return stored;
}

async function putFile(
  objects: ObjectStore,
  key: string,
  path: string,
  type?: string,
): Promise<StoredObject> {
  const expected = await digestFile(path);
  return markedStep("upload.bundle", () =>
    objects.put(key, createReadStream(path), { expected, ...(type ? { type } : {}) }),
  );
}

/** Makes the version current; returns false when it already was. */
function record(records: Records, row: Omit<ChallengeTable, "current">): Promise<boolean> {
  return commit(records, "add-bundle", async (trx) => {
    await records.lock(trx, `challenge:${row.id}`);
    const current = await trx
      .selectFrom("challenges")
      .select("version")
      .where("id", "=", row.id)
      .where("current", "=", 1)
      .executeTakeFirst();
    if (current?.version === row.version) return false;
    await trx.updateTable("challenges").set({ current: 0 }).where("id", "=", row.id).execute();
    await trx
      .insertInto("challenges")
      .values({ ...row, current: 1 })
      .onConflict((conflict) => conflict.columns(["id", "version"]).doUpdateSet({ current: 1 }))
      .execute();
    return true;
  });
}
