import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("leaves submissions as they are, and no message waiting", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("014-device-logins");
  writer.exec("insert into api_keys values ('digest', 'participant', 1, 'then', null)");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("api_keys").select("hash").execute()).toEqual([{ hash: "digest" }]);
  expect(await db.selectFrom("webhooks").selectAll().execute()).toEqual([]);
  expect(await db.selectFrom("webhook_messages").selectAll().execute()).toEqual([]);
});
