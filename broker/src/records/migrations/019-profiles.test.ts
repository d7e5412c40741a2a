import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves participants as they are, without profiles", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("018-webhooks");
  writer.exec("insert into participants (name, name_key, created_at) values ('Ada', 'ada', 'then')");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("participants").select("name").execute()).toEqual([{ name: "Ada" }]);
  expect(await db.selectFrom("profiles").selectAll().execute()).toEqual([]);
});
