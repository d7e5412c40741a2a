import { sql } from "kysely";
import { listRecordedChallenges } from "../../domain/challenges/list-challenges.ts";
import type { Db } from "../../records/records.ts";
import type { Table, TableRow } from "./table.ts";

/** Lists the versions of a challenge that were added or graded with; `graded` counts current grades. */
export function versionTable(trx: Db, challenge: string): Table {
  return {
    name: "versions",
    columns: { version: "text", added_at: "time", current: "boolean", graded: "integer" },
    pages: readRows(trx, challenge),
  };
}

async function* readRows(trx: Db, challenge: string): AsyncGenerator<TableRow[]> {
  const added = (await listRecordedChallenges(trx)).filter(({ id }) => id === challenge);
  const used = await trx
    .selectFrom("submissions")
    .select(["evaluator_version as version", sql<number>`count(*)`.as("graded")])
    .where("challenge", "=", challenge)
    .where("state", "=", "graded")
    .where("evaluator_version", "is not", null)
    .groupBy("evaluator_version")
    .orderBy("evaluator_version")
    .execute();
  const graded = new Map(used.map((row) => [row.version, Number(row.graded)]));
  const known = new Set(added.map(({ version }) => version));
  yield [
    ...added.map(({ version, added_at, current }) => ({
      version,
      added_at,
      current,
      graded: graded.get(version) ?? 0,
    })),
    // Of a challenge in a local folder.
    ...used
      .filter(({ version }) => version !== null && !known.has(version))
      .map(({ version }) => ({
        version,
        added_at: null,
        current: null,
        graded: graded.get(version) as number,
      })),
  ];
}
