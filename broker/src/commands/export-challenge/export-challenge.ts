import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { makeFolder } from "@crowdai/shared/make-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { VERSION } from "../../base/version.ts";
import { showsProfiles } from "../../domain/profiles/profiles.ts";
import { type Records, readTogether } from "../../records/records.ts";
import { attemptTable } from "./attempt-table.ts";
import { boardTable } from "./board-table.ts";
import { fileTable } from "./file-table.ts";
import { logTable } from "./log-table.ts";
import { participantTable } from "./participant-table.ts";
import { submissionTable } from "./submission-table.ts";
import type { Format, Table, WriteTable } from "./table.ts";
import { versionTable } from "./version-table.ts";

export interface ExportOptions {
  records: Pick<Records, "db">;
  challenge: string;
  /** Null for a challenge whose folder is not here: it has no board. */
  config: ChallengeConfig | null;
  format: Format;
  /** Must not exist, or be empty. */
  output: string;
  /** Null to leave out the files of submissions. */
  objects: ObjectStore | null;
  now: Date;
  signal: AbortSignal;
}

export interface Exported {
  challenge: string;
  exported_at: string;
  /** Of the broker. */
  version: string;
  format: Format;
  /** The number of rows of each table, by the name of its file. */
  tables: Record<string, number>;
}

/**
 * Writes what the records have of a challenge to a folder, all tables as of one moment. The folder appears
 * when it is complete.
 */
export async function exportChallenge(options: ExportOptions): Promise<Exported> {
  const { records, challenge, config, format, output, objects, now } = options;
  const withProfiles = config !== null && showsProfiles(config);
  await requireFree(output);
  makeFolder(dirname(output));
  // Private: names and messages are for the organizer.
  const folder = await mkdtemp(join(dirname(output), `.${basename(output)}-`));
  try {
    const write = await writerOf(format);
    const tables: Record<string, number> = {};
    const add = async (table: Table) => {
      const file = `${table.name}.${format}`;
      const pages = untilStopped(table.pages, options.signal);
      tables[file] = await write(join(folder, file), { ...table, pages });
    };
    await readTogether(records.db, async (trx) => {
      await add(submissionTable(trx, challenge, config ?? { columns: [] }));
      await add(attemptTable(trx, challenge));
      await add(logTable(trx, challenge));
      await add(participantTable(trx, challenge, withProfiles));
      await add(versionTable(trx, challenge));
      if (config) await add(boardTable(trx, config, now));
    });
    // Outside of the transaction: files may take hours.
    if (objects) await add(fileTable(records.db, objects, { challenge, withProfiles }, folder));
    const exported = { challenge, exported_at: now.toISOString(), version: VERSION, format, tables };
    await writeFile(
      join(folder, "export.json"),
      `${JSON.stringify({ schema_version: 1, ...exported }, null, 2)}\n`,
    );
    await rename(folder, output);
    return exported;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function requireFree(output: string): Promise<void> {
  const entries = await readdir(output).catch((error) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") return ["a file"];
    throw error;
  });
  if (entries.length > 0)
    throw new CrowdaiError("usage", `${output} exists and is not an empty folder.`, {
      next: "Choose another folder with --output.",
    });
}

async function writerOf(format: Format): Promise<WriteTable> {
  if (format === "parquet") return (await import("./write-parquet.ts")).writeParquet;
  const { writeCsv, writeNdjson } = await import("./write-lines.ts");
  return format === "csv" ? writeCsv : writeNdjson;
}

async function* untilStopped<T>(pages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const page of pages) {
    if (signal.aborted)
      throw new CrowdaiError("interrupted", "The export was interrupted. Nothing was written.");
    yield page;
  }
}
