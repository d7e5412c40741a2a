import { sql } from "kysely";
import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

/**
 * The last migration of the newest published release. Its brokers run on while a newer one migrates the
 * records.
 */
const RELEASED = "001-first";

it("migrations keep each table and column of the newest release, and add none that its brokers would have to fill", async () => {
  const { db, migrations } = await recordsMigratedTo(RELEASED);
  const before = await columns();
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  const after = await columns();
  const gone = [...before.keys()].filter((name) => !after.has(name));
  expect(gone).toEqual([]);
  const tables = new Set([...before.keys()].map((name) => name.split(".")[0]));
  const required = [...after]
    .filter(([name, { isFilled }]) => !before.has(name) && tables.has(name.split(".")[0]) && !isFilled)
    .map(([name]) => name);
  expect(required).toEqual([]);
  const changed = [...before]
    .filter(([name, { type }]) => after.get(name)?.type !== type)
    .map(([name]) => name);
  expect(changed).toEqual([]);

  async function columns(): Promise<Map<string, { type: string; isFilled: boolean }>> {
    const { rows } = await sql<{ name: string; type: string; required: number; default: string | null }>`
      select tables.name || '.' || columns.name as name, columns.type, columns."notnull" as required,
        columns.dflt_value as "default"
      from sqlite_master as tables join pragma_table_info(tables.name) as columns
      where tables.type = 'table' and tables.name not like 'sqlite%' and tables.name not like 'kysely%'`.execute(
      db,
    );
    return new Map(
      rows.map((row) => [
        row.name,
        { type: row.type.toLowerCase(), isFilled: row.required === 0 || row.default !== null },
      ]),
    );
  }
});
