import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createKeyedMutex } from "@crowdai/shared/keyed-mutex";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { Records } from "../../records/records.ts";
import type { SubmissionCodeRow } from "../../records/tables.ts";
import type { Git } from "../git/git.ts";
import { type Applied, openBareRepository, readApplied, writeApplied } from "./bare-repository.ts";
import { updateChallenge } from "./challenge-repository.ts";
import { ALL_CODE } from "./private-challenge-repository.ts";

/** A repository with more packs than this is repacked. */
const MAX_PACKS = 50;

/**
 * The bare repositories of this broker. They are derived from the records and the objects, and updated on
 * use: after the loss of a disk, and at another broker, the same repositories result, down to the names of
 * the commits.
 */
export interface Repositories {
  folder: string;
  git: Git;
  /**
   * Updates the participant's repository and returns its path. `packs` are local copies of packs that are
   * objects too.
   */
  participant(challenge: string, participantId: number, packs?: ReadonlyMap<string, string>): Promise<string>;
  /** Updates the challenge's own repository and returns its path. */
  challenge(challenge: string): Promise<string>;
  /**
   * Creates a folder for an incoming push; the caller removes it. Leftovers of a crash are removed at the
   * next start.
   */
  arriving(): Promise<string>;
}

export async function openRepositories(options: {
  folder: string;
  git: Git;
  records: Pick<Records, "db">;
  objects: ObjectStore;
  maxPacks?: number;
}): Promise<Repositories> {
  const { folder, git, records, objects, maxPacks = MAX_PACKS } = options;
  const incoming = join(folder, ".arriving");
  const mutex = createKeyedMutex();
  const known = new Map<string, Applied>();
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  async function updateParticipant(
    challenge: string,
    participantId: number,
    packs: ReadonlyMap<string, string>,
  ): Promise<string> {
    const dir = join(folder, challenge, `${participantId}.git`);
    let applied = known.get(dir) ?? (await openRepository(dir));
    // Until it is known to be complete: an update that fails halfway starts over.
    known.delete(dir);
    const { stored, final } = applied;
    const rows = await records.db
      .selectFrom("submission_code")
      .selectAll()
      .where("challenge", "=", challenge)
      .where("participant_id", "=", participantId)
      .where((eb) => eb.or([eb("stored_seq", ">", stored), eb("final_seq", ">", final)]))
      .execute();
    if (rows.length > 0) {
      applied = await importCode(dir, rows, applied, packs);
      await writeApplied(dir, applied);
    }
    known.set(dir, applied);
    return dir;
  }

  async function openRepository(dir: string): Promise<Applied> {
    await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
    await openBareRepository(dir);
    return readApplied(dir);
  }

  async function importCode(
    dir: string,
    rows: SubmissionCodeRow[],
    applied: Applied,
    packs: ReadonlyMap<string, string>,
  ): Promise<Applied> {
    const stored = after(rows, "stored_seq", applied.stored);
    const final = after(rows, "final_seq", applied.final);
    for (const row of stored) await importPack(dir, row, packs);
    for (const { final_text } of final)
      await git.must(["hash-object", "-t", "commit", "-w", "--stdin"], { dir, input: final_text as string });
    const tip = final.at(-1)?.final_commit;
    const refs = [
      ...stored.map((row) => `update refs/incoming/${row.submission} ${row.commit_name}`),
      ...final.map((row) => `update refs/tags/submission-${row.submission} ${row.final_commit}`),
      ...(tip ? [`update refs/heads/main ${tip}`] : []),
    ];
    await markedStep("refs.received", () =>
      git.must(["update-ref", "--stdin"], { dir, input: `${refs.join("\n")}\n` }),
    );
    if (stored.length > 0 && (await packCount(dir)) > maxPacks) await repack(dir);
    return {
      stored: stored.at(-1)?.stored_seq ?? applied.stored,
      final: final.at(-1)?.final_seq ?? applied.final,
    };
  }

  async function importPack(
    dir: string,
    row: SubmissionCodeRow,
    packs: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (row.pack_key === null) return;
    const local = packs.get(row.pack_key);
    const path = local ?? join(incoming, `${randomUUID()}.pack`);
    try {
      if (!local) await fetchPack(row, path);
      await using file = await open(path, "r");
      await git.must(["index-pack", "--stdin", "--threads=1"], { dir, input: file.fd });
    } finally {
      if (!local) await rm(path, { force: true });
    }
  }

  async function fetchPack(row: SubmissionCodeRow, path: string): Promise<void> {
    const hash = createHash("sha256");
    await using file = await open(path, "wx", 0o600);
    for await (const chunk of await objects.get(row.pack_key as string)) {
      hash.update(chunk);
      await file.write(chunk);
    }
    if (hash.digest("hex") !== row.pack_sha256)
      throw new CrowdaiError(
        "digest_mismatch",
        `The stored code of ${row.submission} does not match its digest.`,
      );
  }

  async function repack(dir: string): Promise<void> {
    await git.must(["repack", "-a", "-d", "-q", "--threads=1"], { dir, cpuSeconds: 300 });
    await git.must(["pack-refs", "--all"], { dir });
  }

  return {
    folder,
    git,
    participant: (challenge, participantId, packs = new Map()) =>
      mutex.runExclusive(`${challenge}/${participantId}`, () =>
        updateParticipant(challenge, participantId, packs),
      ),
    challenge: (challenge) =>
      mutex.runExclusive(challenge, async () => {
        const dir = join(folder, challenge, "challenge.git");
        await openRepository(dir);
        await updateChallenge({ dir, git, records, repository: ALL_CODE, challenge });
        return dir;
      }),
    async arriving() {
      const made = join(incoming, randomUUID());
      await mkdir(made, { mode: 0o700 });
      return made;
    },
  };
}

function after(
  rows: SubmissionCodeRow[],
  column: "stored_seq" | "final_seq",
  seen: number,
): SubmissionCodeRow[] {
  return rows
    .filter((row) => (row[column] ?? 0) > seen)
    .sort((a, b) => (a[column] as number) - (b[column] as number));
}

async function packCount(dir: string): Promise<number> {
  return (await readdir(join(dir, "objects/pack"))).filter((name) => name.endsWith(".pack")).length;
}
