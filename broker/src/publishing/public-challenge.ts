import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { makeBareRepository, readApplied, writeApplied } from "../code/bare-repository.ts";
import { challengeTree, type Pin } from "../code/challenge-repository.ts";
import { finalCommitText, objectName } from "../code/final-commit.ts";
import type { Git } from "../code/git.ts";
import type { Records } from "../records/records.ts";

const AUTHOR = "author crowdAI <broker@crowdai.invalid>";

/** Writes the next commit of the challenge's public repository into the records, when something changed since the last. */
export async function recordPublicCommit(
  records: Pick<Records, "transaction" | "lock">,
  challenge: { id: string; title: string },
  pins: readonly Pin[],
  now: Date,
): Promise<void> {
  await records.transaction(async (trx) => {
    await records.lock(trx, `public-code:${challenge.id}`);
    const last = await trx
      .selectFrom("public_challenge_commits")
      .selectAll()
      .where("challenge", "=", challenge.id)
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    const readme = readmeOf(challenge);
    if (pins.length === 0 || (last && last.pins === JSON.stringify(pins) && last.readme === readme)) return;
    const text = finalCommitText({
      tree: challengeTree(pins, readme).name,
      parent: last?.commit_name ?? null,
      snapshot: `${AUTHOR} ${Math.floor(now.getTime() / 1000)} +0000\n\n`,
      message: `Published code of ${challenge.id}`,
      at: now,
      trailers: [
        ["Challenge", challenge.id],
        ["Participants", pins.length],
      ],
    });
    await trx
      .insertInto("public_challenge_commits")
      .values({
        challenge: challenge.id,
        number: (last?.number ?? 0) + 1,
        commit_name: objectName("commit", text),
        text,
        pins: JSON.stringify(pins),
        readme,
      })
      .execute();
  });
}

/** Brings the challenge's public repository to what the records have of it; null when they have nothing. */
export async function bringPublicChallenge(options: {
  dir: string;
  git: Git;
  records: Pick<Records, "db">;
  challenge: string;
}): Promise<string | null> {
  const { dir, git, records, challenge } = options;
  const applied = existsSync(dir) ? await readApplied(dir) : { stored: 0, final: 0 };
  const rows = await records.db
    .selectFrom("public_challenge_commits")
    .selectAll()
    .where("challenge", "=", challenge)
    .where("number", ">", applied.final)
    .orderBy("number")
    .execute();
  const last = rows.at(-1);
  if (!last) return applied.final > 0 ? dir : null;
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  await makeBareRepository(dir);
  const write = (type: string, input: Uint8Array | string) =>
    git.must(["hash-object", "-t", type, "-w", "--stdin"], { dir, input });
  for (const row of rows) {
    const { blobs, tree } = challengeTree(JSON.parse(row.pins), row.readme);
    for (const blob of blobs) await write("blob", blob);
    await write("tree", tree);
    await write("commit", row.text);
  }
  await git.must(["update-ref", "refs/heads/main", last.commit_name], { dir });
  await writeApplied(dir, { stored: 0, final: last.number });
  return dir;
}

function readmeOf({ id, title }: { id: string; title: string }): string {
  return `# ${title}

The code that participants of \`${id}\` published, under the licence in each repository. Each folder is a participant's
repository, joined as a submodule: \`git clone --recurse-submodules\` fetches them too. In each, a commit on \`main\`
is a submission, tagged \`submission-<id>\`, with its score among the trailers.
`;
}
