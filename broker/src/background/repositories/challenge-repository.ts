import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { Transaction } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { Tables } from "../../records/tables.ts";
import type { Git } from "../git/git.ts";
import { openBareRepository, readApplied, writeApplied } from "./bare-repository.ts";
import { finalCommitText, objectName } from "./final-commit.ts";

/**
 * A participant's repository as a submodule of the challenge's: its path, its clone URL and its current
 * commit.
 */
export interface Pin {
  path: string;
  url: string;
  commit: string;
}

const COMMIT_AUTHOR = "author crowdAI <broker@crowdai.invalid>";

/** Builds the files and the tree of a challenge's repository; equal pins give equal trees. */
export function challengeTree(pins: readonly Pin[], readme: string) {
  const modules = pins
    .map(({ path, url }) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`)
    .join("");
  const entries = [
    { mode: "100644", name: ".gitmodules", object: objectName("blob", modules) },
    { mode: "100644", name: "README.md", object: objectName("blob", readme) },
    ...pins.map(({ path, commit }) => ({ mode: "160000", name: path, object: commit })),
  ].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const tree = Buffer.concat(
    entries.flatMap(({ mode, name, object }) => [
      Buffer.from(`${mode} ${name}\0`),
      Buffer.from(object, "hex"),
    ]),
  );
  return { blobs: [modules, readme], tree, name: objectName("tree", tree) };
}

/** One of a challenge's two repositories: that of all code, or that of published code. */
export interface ChallengeRepository {
  table: "code_challenge_commits" | "public_challenge_commits";
  /** Prefix of the lock that serializes the repository's commits. */
  lock: string;
  message(challenge: string): string;
  readme(challenge: Pick<ChallengeConfig, "id" | "title">): string;
}

/** Both tables have the same columns. */
const tableOf = ({ table }: ChallengeRepository) => table as "code_challenge_commits";

/** Records the repository's next commit if something has changed since the last. Returns whether it did. */
export async function recordChallengeCommit(
  records: Pick<Records, "transaction" | "lock">,
  repository: ChallengeRepository,
  challenge: Pick<ChallengeConfig, "id" | "title">,
  pinsOf: (trx: Transaction<Tables>) => Promise<readonly Pin[]>,
  now: Date,
): Promise<boolean> {
  return commit(records, "challenge-repository", async (trx) => {
    await records.lock(trx, `${repository.lock}:${challenge.id}`);
    const pins = await pinsOf(trx);
    const last = await trx
      .selectFrom(tableOf(repository))
      .selectAll()
      .where("challenge", "=", challenge.id)
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    const readme = repository.readme(challenge);
    if (last && last.pins === JSON.stringify(pins) && last.readme === readme) return false;
    const text = finalCommitText({
      tree: challengeTree(pins, readme).name,
      parent: last?.commit_name ?? null,
      snapshot: `${COMMIT_AUTHOR} ${Math.floor(now.getTime() / 1000)} +0000\n\n`,
      message: repository.message(challenge.id),
      at: now,
      trailers: [
        ["Challenge", challenge.id],
        ["Participants", pins.length],
      ],
    });
    await trx
      .insertInto(tableOf(repository))
      .values({
        challenge: challenge.id,
        number: (last?.number ?? 0) + 1,
        commit_name: objectName("commit", text),
        text,
        pins: JSON.stringify(pins),
        readme,
      })
      .execute();
    return true;
  });
}

/**
 * Updates the bare repository at `dir` from the records, and creates it when they have a commit. Returns the
 * number of commits.
 */
export async function updateChallenge(options: {
  dir: string;
  git: Git;
  records: Pick<Records, "db">;
  repository: ChallengeRepository;
  challenge: string;
}): Promise<number> {
  const { dir, git, records, repository, challenge } = options;
  const applied = await readApplied(dir);
  const rows = await records.db
    .selectFrom(tableOf(repository))
    .selectAll()
    .where("challenge", "=", challenge)
    .where("number", ">", applied.final)
    .orderBy("number")
    .execute();
  const last = rows.at(-1);
  if (!last) return applied.final;
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  await openBareRepository(dir);
  const write = (type: string, input: Uint8Array | string) =>
    git.must(["hash-object", "-t", type, "-w", "--stdin"], { dir, input });
  for (const row of rows) {
    const { blobs, tree } = challengeTree(JSON.parse(row.pins), row.readme);
    for (const blob of blobs) await write("blob", blob);
    await write("tree", tree);
    await write("commit", row.text);
  }
  await markedStep("refs.challenge", () =>
    git.must(["update-ref", "refs/heads/main", last.commit_name], { dir }),
  );
  await writeApplied(dir, { stored: 0, final: last.number });
  return last.number;
}
