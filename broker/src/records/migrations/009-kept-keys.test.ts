import { expect, it } from "vitest";
import { recordsMigratedTo } from "../../../test/support/migrated-records.ts";

it("preserves the sessions of the pages", async () => {
  const { db, writer, migrations } = await recordsMigratedTo("008-lean");
  writer.exec("insert into page_sessions values ('session', 'digest of the key', 'then', 'later')");
  expect((await migrations.migrateToLatest()).error).toBeUndefined();
  expect(await db.selectFrom("page_sessions").selectAll().execute()).toEqual([
    { hash: "session", kept_key: "digest of the key", created_at: "then", expires_at: "later" },
  ]);
});
