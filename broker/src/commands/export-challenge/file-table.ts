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
  kind: "input" | "code" | "model" | "artifact";
  name: string;
  size: number;
  sha256: string;
  /** Its object, or its text. */
  source: { key: string } | { text: string };
}

/**
 * Writes the files of all submissions below `folder` and lists them: inputs, submitted code as archives, models and artifacts. A
 * file that cannot be read whole is listed with the reason and without a path.
 */
export function fileTable(db: Db, objects: ObjectStore, challenge: string, folder: string): Table {
  return {
    name: "files",
    columns: {
      submission: "text",
      kind: "text",
      name: "text",
      size: "integer",
      sha256: "text",
      path: "text",
      problem: "text",
    },
    pages: writeFiles(db, objects, challenge, folder),
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
        const { kind, name, size, sha256 } = part;
        const path = `files/${row.id}/${index}-${portable(name)}`;
        const problem = await write(objects, part, join(folder, path));
        rows.push({
          submission: row.id,
          kind,
          name,
          size,
          sha256,
          path: problem === null ? path : null,
          problem,
        });
      }
      if (rows.length > 0) yield rows;
    }
}

type SubmissionPart = Awaited<ReturnType<typeof readPage>>[number];

const readPage = (db: Db, challenge: string, after: number) =>
  db
    .selectFrom("submissions as s")
    .leftJoin("submission_code as code", "code.submission", "s.id")
    .select(["s.id", "s.number", "s.accepted_at", "s.artifacts", "s.model_count", "s.input_kind"])
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

/** Returns the name, or one that works on every system: names of artifacts are whatever the evaluator gave. */
function portable(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  const short =
    Buffer.byteLength(plain) > 150 ? Buffer.from(plain).subarray(-150).toString().replaceAll("�", "") : plain;
  return fileNameProblem(`0-${short}`) === null ? short : "file";
}
