import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Transaction } from "kysely";
import type { Records } from "../records/records.ts";
import type { Tables } from "../records/tables.ts";
import { readApplied, writeApplied } from "./bare-repository.ts";
import { finalCommitText, objectName } from "./final-commit.ts";
import type { Git } from "./git.ts";
import { repositoryName } from "./repository-name.ts";

/** One participant's repository in the challenge's: its path there, where it is cloned from, and the commit it stands at. */
export interface Pin {
  path: string;
  url: string;
  commit: string;
}

const COMMIT_AUTHOR = "author crowdAI <broker@crowdai.invalid>";

/** The files and the tree of a challenge's repository; equal for equal pins. */
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

/** Writes the next commit of the challenge's repository into the records, when something changed since the last. Returns whether it did. */
export async function recordChallengeCommit(
  records: Pick<Records, "transaction" | "lock">,
  config: Pick<ChallengeConfig, "id" | "title">,
  urlOf: (participant: string) => string,
  now: Date,
): Promise<boolean> {
  return records.transaction(async (trx) => {
    await records.lock(trx, `code:${config.id}`);
    const pins = await readPins(trx, config.id, urlOf);
    const last = await trx
      .selectFrom("code_challenge_commits")
      .selectAll()
      .where("challenge", "=", config.id)
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirst();
    const readme = readmeOf(config);
    if (last && last.pins === JSON.stringify(pins) && last.readme === readme) return false;
    const text = finalCommitText({
      tree: challengeTree(pins, readme).name,
      parent: last?.commit_name ?? null,
      snapshot: `${COMMIT_AUTHOR} ${Math.floor(now.getTime() / 1000)} +0000\n\n`,
      message: `State of ${config.id}`,
      at: now,
      trailers: [
        ["Challenge", config.id],
        ["Participants", pins.length],
      ],
    });
    await trx
      .insertInto("code_challenge_commits")
      .values({
        challenge: config.id,
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

/** Brings the challenge's bare repository to what the records have of it. */
export async function bringChallenge(options: {
  dir: string;
  git: Git;
  records: Pick<Records, "db">;
  challenge: string;
}): Promise<void> {
  const { dir, git, records, challenge } = options;
  const applied = await readApplied(dir);
  const rows = await records.db
    .selectFrom("code_challenge_commits")
    .selectAll()
    .where("challenge", "=", challenge)
    .where("number", ">", applied.final)
    .orderBy("number")
    .execute();
  const last = rows.at(-1);
  if (!last) return;
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
}

async function readPins(
  trx: Transaction<Tables>,
  challenge: string,
  urlOf: (participant: string) => string,
): Promise<Pin[]> {
  const latest = trx
    .selectFrom("submission_code")
    .select(({ fn }) => ["participant_id", fn.max("final_seq").as("final_seq")])
    .where("challenge", "=", challenge)
    .where("final_seq", "is not", null)
    .groupBy("participant_id");
  const rows = await trx
    .selectFrom("submission_code")
    .innerJoin(latest.as("latest"), (join) =>
      join
        .onRef("latest.participant_id", "=", "submission_code.participant_id")
        .onRef("latest.final_seq", "=", "submission_code.final_seq"),
    )
    .innerJoin("participants", "participants.id", "submission_code.participant_id")
    .select(["participants.id", "participants.name", "submission_code.final_commit"])
    .where("submission_code.challenge", "=", challenge)
    .orderBy("participants.id")
    .execute();
  return rows.map((row) => {
    const path = repositoryName(row);
    return { path, url: urlOf(path), commit: row.final_commit as string };
  });
}

function readmeOf({ id, title }: Pick<ChallengeConfig, "id" | "title">): string {
  return `# ${title}

The code of the submissions to \`${id}\`. Each folder is a participant's repository, joined as a submodule:
\`git clone --recurse-submodules\` fetches them too. In each, a commit on \`main\` is a submission, tagged
\`submission-<id>\`, with its score among the trailers.
`;
}
