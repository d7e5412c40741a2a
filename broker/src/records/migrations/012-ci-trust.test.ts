import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves keys as they are, and no CI job trusted", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("011-environments");
  writer.exec("insert into api_keys values ('digest', 'participant', 1, 'then', null)");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("api_keys").select("hash").execute()).toEqual([{ hash: "digest" }]);
  expect(await db.selectFrom("ci_trusts").selectAll().execute()).toEqual([]);
});
