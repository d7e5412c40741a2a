import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves keys as they are, and no sign-in waiting", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("012-ci-trust");
  writer.exec("insert into api_keys values ('digest', 'participant', 1, 'then', null)");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("api_keys").select("hash").execute()).toEqual([{ hash: "digest" }]);
  expect(await db.selectFrom("device_logins").selectAll().execute()).toEqual([]);
});
