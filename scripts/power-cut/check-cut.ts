import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { sql } from "kysely";
import { openRecords } from "../../broker/src/records/open.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { createFolderStore } from "../../shared/src/objects/index.ts";
import type { Acknowledgment } from "./record-broker.ts";

/**
 * Reads what a cut left of a broker's data folder, and returns what is not there of what was promised before
 * it.
 */
export async function checkCut(
  state: string,
  {
    acknowledgments,
    time,
    secret,
  }: { acknowledgments: readonly Acknowledgment[]; time: number; secret: Buffer },
): Promise<string[]> {
  const folder = join(state, "data");
  const lost: string[] = [];
  const accepted = acknowledgments.filter((one) => one.accepted <= time);
  // The broker served before it acknowledged anything.
  const key = join(folder, "secret");
  if (accepted.length > 0 && !(existsSync(key) && readFileSync(key).equals(secret))) lost.push("secret");
  if (!existsSync(folder)) return accepted.length > 0 ? ["everything"] : [];
  let records: Records;
  try {
    records = await openRecords({ dataFolder: folder, databaseUrl: undefined });
  } catch (error) {
    return [...lost, `records: ${(error as Error).message}`];
  }
  try {
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(records.db);
    if (rows[0]?.integrity_check !== "ok") lost.push(`records: ${rows[0]?.integrity_check}`);
    const found = await records.db.selectFrom("submissions").selectAll().execute();
    const byId = new Map(found.map((row) => [row.id, row]));
    const objects = await createFolderStore({
      folder: join(folder, "objects"),
      baseUrl: () => "http://localhost",
      secret: "-",
    });
    for (const { id, graded, score, file } of accepted) {
      const row = byId.get(id);
      if (!row) lost.push(`${id}, acknowledged`);
      else if (graded <= time && (row.state !== "graded" || row.score !== score)) lost.push(`grade of ${id}`);
      if (!row?.input_key || file === null) continue;
      const bytes = await objects
        .get(row.input_key)
        .then((body) => buffer(body as never))
        .catch(() => null);
      if (bytes === null || createHash("sha256").update(bytes).digest("hex") !== file)
        lost.push(`file of ${id}`);
    }
    await objects.close();
  } catch (error) {
    lost.push(`records: ${(error as Error).message}`);
  }
  await records.close();
  return lost;
}
