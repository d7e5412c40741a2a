import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { asCrowdaiError, fileNameProblem } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import { readArtifacts } from "../../domain/submissions/artifacts.ts";
import type { Db } from "../../records/records.ts";
import { PAGE, pagesOf } from "./read-pages.ts";
import type { Table, TableRow } from "./table.ts";

interface StoredPart {
  kind: "input" | "code" | "model" | "artifact" | "picture";
  name: string;
  size: number;
  sha256: string;
  /** Its object, or its text. */
  source: { key: string } | { text: string };
}

/**
 * Writes the files of all submissions below `folder` and lists them: inputs, submitted code as archives,
 * models and artifacts. After them, the pictures of the participants' profiles where the challenge shows
 * them. A file that cannot be read whole is listed with the reason and without a path.
 */
export function fileTable(
  db: Db,
  objects: ObjectStore,
  { challenge, withProfiles }: { challenge: string; withProfiles: boolean },
  folder: string,
): Table {
  return {
    name: "files",
    columns: {
      submission: "text",
      participant: "text",
      kind: "text",
      name: "text",
      size: "integer",
      sha256: "text",
      path: "text",
      problem: "text",
    },
    pages: (async function* () {
      yield* writeFiles(db, objects, challenge, folder);
      if (withProfiles) yield* writePictures(db, objects, challenge, folder);
    })(),
  };
}

async function* writeFiles(
  db: Db,
  objects: ObjectStore,
  challenge: string,
  folder: string,
): AsyncGenerator<TableRow[]> {
  const pages = pagesOf<SubmissionPart>((last) => readPage(db, challenge, last?.number ?? 0));
  for await (const page of pages)
    for (const row of page) {
      const rows: TableRow[] = [];
      for (const [index, part] of (await partsOf(db, row)).entries()) {
        const path = `files/${row.id}/${index}-${portable(part.name)}`;
        const of = { submission: row.id, participant: row.participant };
        rows.push(await fileRow(objects, part, of, { folder, path }));
      }
      if (rows.length > 0) yield rows;
    }
}

async function* writePictures(
  db: Db,
  objects: ObjectStore,
  challenge: string,
  folder: string,
): AsyncGenerator<TableRow[]> {
  const pages = pagesOf<Awaited<ReturnType<typeof readPictures>>[number]>((last) =>
    readPictures(db, challenge, last?.id ?? 0),
  );
  for await (const page of pages)
    for (const { id, name: participant, picture } of page) {
      const key = picture as string;
      const found = await objects.stat(key);
      // Replaced or removed meanwhile.
      if (!found) continue;
      const part = { kind: "picture" as const, name: "picture.webp", ...found, source: { key } };
      yield [
        await fileRow(
          objects,
          part,
          { submission: null, participant },
          { folder, path: `files/profiles/${id}.webp` },
        ),
      ];
    }
}

const readPictures = (db: Db, challenge: string, after: number) =>
  db
    .selectFrom("profiles")
    .innerJoin("participants as p", "p.id", "profiles.participant_id")
    .select(["p.id", "p.name", "profiles.picture"])
    .where("profiles.picture", "is not", null)
    .where("p.id", ">", after)
    .where((eb) =>
      eb.or([
        eb(
          "p.id",
          "in",
          eb.selectFrom("submissions").select("participant_id").where("challenge", "=", challenge),
        ),
        eb(
          "p.id",
          "in",
          eb.selectFrom("invitations").select("participant_id").where("challenge", "=", challenge),
        ),
      ]),
    )
    .orderBy("p.id")
    .limit(PAGE)
    .execute();

async function fileRow(
  objects: ObjectStore,
  part: StoredPart,
  of: { submission: string | null; participant: string },
  { folder, path }: { folder: string; path: string },
): Promise<TableRow> {
  const problem = await write(objects, part, join(folder, path));
  const { kind, name, size, sha256 } = part;
  return { ...of, kind, name, size, sha256, path: problem === null ? path : null, problem };
}

type SubmissionPart = Awaited<ReturnType<typeof readPage>>[number];

const readPage = (db: Db, challenge: string, after: number) =>
  db
    .selectFrom("submissions as s")
    .innerJoin("participants as p", "p.id", "s.participant_id")
    .leftJoin("submission_code as code", "code.submission", "s.id")
    .select([
      "p.name as participant",
      "s.id",
      "s.number",
      "s.accepted_at",
      "s.artifacts",
      "s.model_count",
      "s.input_kind",
    ])
    .select(["s.input_name", "s.input_size", "s.input_sha256", "s.input_key", "s.input_data"])
    .select(["code.tree_key", "code.tree_size", "code.tree_sha256"])
    .where("s.challenge", "=", challenge)
    .where("s.number", ">", after)
    .orderBy("s.number")
    .limit(PAGE)
    .execute();

async function partsOf(db: Db, row: SubmissionPart): Promise<StoredPart[]> {
  const parts: StoredPart[] = [];
  const input = { kind: "input" as const, size: row.input_size, sha256: row.input_sha256 };
  if (row.input_data !== null && row.input_kind === "json")
    parts.push({ ...input, name: "input.json", source: { text: row.input_data } });
  // An upload that is not complete has no object.
  else if (row.input_key !== null && row.accepted_at !== null)
    parts.push({ ...input, name: row.input_name ?? "input", source: { key: row.input_key } });
  if (row.tree_key !== null)
    parts.push({
      kind: "code",
      name: "code.tar.gz",
      size: Number(row.tree_size),
      sha256: row.tree_sha256 as string,
      source: { key: row.tree_key },
    });
  for (const { kind, name, size, sha256, key } of await readArtifacts(db, row))
    parts.push({ kind, name, size, sha256, source: { key } });
  return parts;
}

/** Returns why the file could not be written; null once it is. Throws when this machine cannot write it. */
async function write(
  objects: ObjectStore,
  { source, size, sha256 }: StoredPart,
  path: string,
): Promise<string | null> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const out = createWriteStream(path, { flags: "wx", mode: 0o600 });
  if ("text" in source) {
    await pipeline([source.text], out);
    return null;
  }
  const hash = createHash("sha256");
  const problems: string[] = [];
  async function* bytes(key: string) {
    try {
      for await (const chunk of await objects.get(key)) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      problems.push(asCrowdaiError(error).message);
    }
  }
  await pipeline(bytes(source.key), out);
  if (problems.length === 0 && hash.digest("hex") !== sha256)
    problems.push(`The stored bytes differ from the ${size} bytes that were submitted.`);
  if (problems.length > 0) await rm(path);
  return problems[0] ?? null;
}

/**
 * Returns the name, or one that works on every system: names of artifacts are whatever the evaluator gave.
 */
function portable(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  const short =
    Buffer.byteLength(plain) > 150 ? Buffer.from(plain).subarray(-150).toString().replaceAll("�", "") : plain;
  return fileNameProblem(`0-${short}`) === null ? short : "file";
}
