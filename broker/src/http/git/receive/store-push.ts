import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { graderGetsCode } from "@crowdai/shared/challenge-folder";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { StoredObject } from "@crowdai/shared/objects";
import type { CodeNeeds } from "../../../background/code-services.ts";
import { type FinalizeNeeds, finalizeSubmission } from "../../../background/repositories/finalize-code.ts";
import { MAX_CODE_FILES, maxCodeBytes } from "../../../domain/rules/accepted-code.ts";
import { recordStored } from "../../../domain/submissions/record-stored-code.ts";
import type { Db } from "../../../records/records.ts";
import type { SubmissionCodeRow } from "../../../records/tables.ts";
import { checkCommit } from "./check-commit.ts";
import { checkTree } from "./check-tree.ts";
import { indexPack, openQuarantine, type Quarantine } from "./index-pack.ts";
import { spoolPack } from "./spool.ts";

/** Space that a pack needs beyond the files, for names, folders and its index. */
const PACK_EXTRA = 4 * 1024 * 1024;
const EXCLUDED = 200;

interface StoredArchive extends StoredObject {
  key: string;
}

/** The services that storing a push uses. */
export type StorePushNeeds = FinalizeNeeds & CodeNeeds<"repositories" | "objects" | "log" | "dispatchSoon">;

/**
 * Stores the pack of a push: verifies it in quarantine, stores it as an object, writes the records, and only
 * then updates the repository. After a crash at any step, pushing again completes it. Pushing stored code
 * again is harmless.
 */
export async function storePush(
  code: StorePushNeeds,
  row: SubmissionCodeRow,
  pack: AsyncIterable<Uint8Array>,
): Promise<void> {
  const { repositories, records, catalog, log } = code;
  const config = catalog.get(row.challenge).config;
  const maxBytes = maxCodeBytes(config);
  // Read before the repository is updated, so that it contains all of these.
  const before = await storedBefore(records.db, row);
  const dir = await repositories.participant(row.challenge, row.participant_id);
  const folder = await repositories.arriving();
  try {
    const path = join(folder, "pushed.pack");
    const size = await spoolPack(pack, path, maxBytes + PACK_EXTRA);
    if (row.state === "stored") return;
    const quarantine = await openQuarantine(repositories.git, dir, folder);
    await indexPack(quarantine, path, size);
    await rm(path);
    const snapshot = await checkCommit(quarantine, { commit: row.commit_name, tree: row.tree });
    const held = await checkTree(quarantine, row.tree, { bytes: maxBytes, files: MAX_CODE_FILES });
    const stored = await storePack(code, quarantine, row, before, join(folder, "kept.pack"));
    const tree = graderGetsCode(config)
      ? await storeArchive(code, quarantine, row, join(folder, "tree.tar"))
      : null;
    await recordStored(code, row.submission, {
      ...held,
      commit: row.commit_name,
      snapshot,
      pack: stored,
      tree,
    });
    // The code is stored now. If an update of the repository fails, the next access repeats it.
    const packs = new Map(stored ? [[stored.key, join(folder, "kept.pack")]] : []);
    await repositories
      .participant(row.challenge, row.participant_id, packs)
      .then(() => finalizeSubmission(code, row.submission))
      .catch((error) =>
        log.warn(
          { event: "code_delivery_deferred", err: error, submission: row.submission },
          "code delivery deferred",
        ),
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function storedBefore(db: Db, row: SubmissionCodeRow): Promise<string[]> {
  const rows = await db
    .selectFrom("submission_code")
    .select("commit_name")
    .where("challenge", "=", row.challenge)
    .where("participant_id", "=", row.participant_id)
    .where("state", "=", "stored")
    .orderBy("stored_seq", "desc")
    .limit(EXCLUDED)
    .execute();
  return rows.map(({ commit_name }) => commit_name);
}

/** Stores the objects that the snapshot adds as a pack in the object store; null when it adds none. */
async function storePack(
  code: CodeNeeds<"objects">,
  { git, dir, objects }: Quarantine,
  row: SubmissionCodeRow,
  before: readonly string[],
  path: string,
): Promise<StoredArchive | null> {
  const revisions = [row.commit_name, ...before.map((commit) => `^${commit}`)];
  const args = [
    "pack-objects",
    "--revs",
    "--stdout",
    "-q",
    "--window=0",
    "--delta-base-offset",
    "--threads=1",
  ];
  {
    await using file = await open(path, "wx", 0o600);
    await git.must(args, { dir, objects, input: `${revisions.join("\n")}\n`, into: file.fd });
    const head = Buffer.alloc(12);
    await using written = await open(path, "r");
    await written.read(head, 0, 12, 0);
    if (head.readUInt32BE(8) === 0) return null;
  }
  return storeFile(code, row, path, "pack");
}

/** Stores the tree without history as an archive for graders. */
async function storeArchive(
  code: CodeNeeds<"objects">,
  { git, dir, objects }: Quarantine,
  row: SubmissionCodeRow,
  path: string,
): Promise<StoredArchive> {
  {
    await using file = await open(path, "wx", 0o600);
    await git.must(["archive", "--format=tar", row.tree], { dir, objects, into: file.fd });
  }
  return storeFile(code, row, path, "tar");
}

async function storeFile(
  code: CodeNeeds<"objects">,
  row: SubmissionCodeRow,
  path: string,
  ending: string,
): Promise<StoredArchive> {
  const expected = await digest(path);
  // Named by content, so a second attempt with other bytes of the same objects does not conflict.
  const key = `code/${row.challenge}/${row.participant_id}/${expected.sha256}.${ending}`;
  try {
    await markedStep("upload.tree", () => code.objects.put(key, createReadStream(path), { expected }));
  } catch (error) {
    if (!(error instanceof CrowdaiError && error.code === "object_exists")) throw error;
  }
  return { key, ...expected };
}

async function digest(path: string): Promise<StoredObject> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}
