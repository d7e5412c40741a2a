import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createKeyedMutex } from "@crowdai/shared/keyed-mutex";
import { markedStep } from "@crowdai/shared/marked-steps";
import { mitLicense } from "../../domain/agreements/mit-license.ts";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import type { Records } from "../../records/records.ts";
import { openBareRepository, readApplied, writeApplied } from "../repositories/bare-repository.ts";
import { objectName } from "../repositories/final-commit.ts";
import type { Repositories } from "../repositories/repositories.ts";
import { licenseInTree } from "./license-in-tree.ts";
import { updatePublicChallenge } from "./public-challenge-repository.ts";
import { licenseHolder, publishedCommitText } from "./published-commit.ts";

/**
 * The repositories that everyone may clone. They are separate from the private ones, contain only published
 * submissions and no other object, and are derived in the same way, with equal commits at every broker.
 */
export interface PublicRepositories {
  /** Updates the participant's public repository and returns its path; null while none of it is public. */
  participant(challenge: string, participantId: number): Promise<string | null>;
  /**
   * Returns the challenge's public repository; null until the challenge is closed with something to publish.
   */
  challenge(challenge: string): Promise<string | null>;
}

interface Publication {
  seq: number;
  submission: string;
  final_text: string;
  tree: string;
  created_at: string;
  name: string;
}

export function createPublicRepositories(options: {
  repositories: Repositories;
  records: Pick<Records, "db">;
}): PublicRepositories {
  const { repositories, records } = options;
  const { folder, git } = repositories;
  const mutex = createKeyedMutex();

  async function updateParticipant(challenge: string, participantId: number): Promise<string | null> {
    // The challenge's name comes from a URL: a closed challenge is known, so its name cannot be a path to
    // another folder.
    if (!(await findClosure(records.db, challenge))) return null;
    const dir = join(folder, challenge, `${participantId}.public.git`);
    const applied = existsSync(dir) ? await readApplied(dir) : { stored: 0, final: 0 };
    const rows = await readPublications(challenge, participantId, applied.final);
    const last = rows.at(-1);
    if (!last) return applied.final > 0 ? dir : null;
    const privately = await repositories.participant(challenge, participantId);
    await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
    await openBareRepository(dir);
    await append(dir, privately, rows, await tipAt(dir, challenge, participantId, applied.final));
    await writeApplied(dir, { stored: 0, final: last.seq });
    return dir;
  }

  /**
   * Returns the commit that the next one follows. It is not read from main: a broker that was killed may have
   * moved main without recording it. Repeating the work from the recorded commit produces the same commits.
   */
  async function tipAt(
    dir: string,
    challenge: string,
    participantId: number,
    seq: number,
  ): Promise<string | null> {
    if (seq === 0) return null;
    const { submission } = await records.db
      .selectFrom("publications")
      .select("submission")
      .where("challenge", "=", challenge)
      .where("participant_id", "=", participantId)
      .where("seq", "=", seq)
      .executeTakeFirstOrThrow();
    const found = await git.must(["rev-parse", "--verify", `refs/tags/submission-${submission}`], { dir });
    return found.toString().trim();
  }

  /**
   * Adds the commits of `rows` to the public repository. Refs are written last, when everything they name is
   * complete.
   */
  async function append(
    dir: string,
    privately: string,
    rows: Publication[],
    start: string | null,
  ): Promise<void> {
    const objects = { own: join(dir, "objects"), others: [join(privately, "objects")] };
    const write = async (type: "commit" | "tree" | "blob", content: string | Buffer) => {
      await git.must(["hash-object", "-t", type, "-w", "--stdin"], { dir, objects, input: content });
      return objectName(type, content);
    };
    let tip = start;
    const refs: string[] = [];
    for (const row of rows) {
      const own = await git.must(["cat-file", "tree", row.tree], { dir: privately });
      const year = new Date(row.created_at).getUTCFullYear();
      const licence = mitLicense(year, licenseHolder(row.final_text, row.name));
      const added = licenseInTree(own, licence);
      if (added) await write("blob", licence);
      const tree = added ? await write("tree", added.tree) : row.tree;
      tip = await write("commit", publishedCommitText(row.final_text, tree, tip));
      refs.push(`update refs/tags/submission-${row.submission} ${tip}`);
    }
    refs.push(`update refs/heads/main ${tip}`);
    const wanted = `${tip}\n${start === null ? "" : `^${start}\n`}`;
    const pack = join(dir, "objects/pack/pack");
    await git.must(["pack-objects", "-q", "--revs", pack], { dir, objects, input: wanted, cpuSeconds: 300 });
    // Without the private repository as an alternate, every object must exist here.
    await git.must(["rev-list", "--objects", "--quiet", tip as string], { dir, cpuSeconds: 300 });
    await markedStep("refs.public", () =>
      git.must(["update-ref", "--stdin"], { dir, input: `${refs.join("\n")}\n` }),
    );
    await git.must(["prune-packed", "-q"], { dir });
  }

  function readPublications(challenge: string, participantId: number, after: number): Promise<Publication[]> {
    return records.db
      .selectFrom("publications")
      .innerJoin("submission_code", "submission_code.submission", "publications.submission")
      .innerJoin("submissions", "submissions.id", "publications.submission")
      .innerJoin("participants", "participants.id", "publications.participant_id")
      .select(["publications.seq", "publications.submission", "submission_code.tree", "participants.name"])
      .select(["submissions.created_at", "submission_code.final_text"])
      .where("publications.challenge", "=", challenge)
      .where("publications.participant_id", "=", participantId)
      .where("publications.seq", ">", after)
      .orderBy("publications.seq")
      .$narrowType<{ final_text: string }>()
      .execute();
  }

  return {
    participant: (challenge, participantId) =>
      mutex.runExclusive(`${challenge}/${participantId}`, () => updateParticipant(challenge, participantId)),
    challenge: (challenge) =>
      mutex.runExclusive(challenge, async () =>
        (await findClosure(records.db, challenge)) === null
          ? null
          : updatePublicChallenge({
              dir: join(folder, challenge, "challenge.public.git"),
              git,
              records,
              challenge,
            }),
      ),
  };
}
